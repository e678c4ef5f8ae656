"""Usage as one page that stands alone: no script, no network, nothing but itself."""

from collections.abc import Iterable, Iterator

import governor
from governor.cli import usage_promises as promises
from governor.cli import usage_sections as sections
from governor.cli import usage_tables as tables
from governor.cli.usage_attention import attention
from governor.cli.usage_css import STYLE
from governor.cli.usage_plots import PATTERNS, clean
from governor.cli.usage_rows import Picture, other_rows
from governor.cli.usage_words import clock

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""A browser that is shown something else in the page does not load or run it."""

MEANINGS = {
    "guaranteed": "what a team's quota promises it",
    "used": "what its admitted workloads hold; reserved counts those about to be admitted too",
    "borrowed": "used above the guarantee, and covered by what others of the cohort leave idle",
    "over quota": "used above it, and covered by nobody: something was cut while the work ran",
    "lent": "what others use of a guarantee, shared in proportion to what each lender leaves idle, since Kueue keeps "
    "no such account",
    "idle": "what of a guarantee nobody uses",
    "headroom": "what could be taken now without preempting anybody",
    "starved": "has workloads waiting, has less than its guarantee, and cannot take what it lacks without somebody who "
    "borrows giving it back",
    "waiting": "workloads wait for another reason: the guarantee is in use, nobody borrows what is lacking, or there "
    "is room, but not enough at once or not on the right nodes, or a check holds them up",
    "share": "Kueue's weighted share: how far a team is above its guarantee, in thousandths of what its cohort can "
    "lend, by its weight",
    "promised, present, allocatable": "what quotas add up to, what all nodes have, and what pods may have on those "
    "that are ready and not cordoned",
}


def page(picture: Picture, refresh: int = 0, remark: str = "") -> str:
    """The whole document; with ``refresh``, a browser looks again after so many seconds. ``remark`` stands on top: what
    is wrong with the page itself."""
    usage = picture.usage
    title = f"Usage of {usage.cluster}"
    again = f'<meta http-equiv="refresh" content="{refresh}"/>\n' if refresh else ""
    parts = [
        ("", "", "", sections.headline(usage)),
        ("attention", "What needs attention", "Attention", attention(picture)),
        ("teams", "Teams, those that need somebody first", "Teams", sections.bars(usage)),
    ]
    if other_rows(usage):
        parts.append(("others", "Queues of no team", "Other queues", sections.others(usage)))
    parts += [
        ("reclaim", "Who could reclaim from whom", "Reclaim", tables.reclaiming(usage)),
        ("waiting", "Who waits", "Waiting", sections.waiting(usage)),
        ("capacity", "Promised against real", "Capacity", promises.promises(usage)),
        ("figures", "All figures", "All figures", tables.figures(usage)),
        ("words", "What the words mean", "Words", _meanings()),
    ]
    links = "".join(f'<li><a href="#{ident}">{short}</a></li>' for ident, _, short, _ in parts if ident)
    body = "".join(_section(ident, heading, found) for ident, heading, _, found in parts)
    read = f'<p class="muted">Read on <time datetime="{_machine(usage.at)}">{clock(usage.at)}</time></p>'
    banner = f'<p class="banner" role="status">{clean(remark[:1].upper() + remark[1:])}</p>\n' if remark else ""
    source = clean(picture.source or "the cluster")
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>
{again}<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta name="referrer" content="no-referrer"/>
<title>{clean(title)}</title>
<style>
{STYLE}</style>
</head>
<body>
{PATTERNS}<header>
<h1>{clean(title)}</h1>
{read}
{banner}<nav aria-label="Sections"><ul>{links}</ul></nav>
</header>
<main>
{body}</main>
<footer>
<p>Read on {clock(usage.at)} from {source}, by governor {clean(governor.__version__)}.</p>
</footer>
</body>
</html>
"""


def _machine(at: int) -> str:
    return f"{clock(at).removesuffix(' UTC').replace(' ', 'T')}Z"


def _section(ident: str, heading: str, found: Iterable[str]) -> str:
    inner = "\n".join(part for part in found if part)
    if not ident:
        return f'<section>\n<h2 class="unseen">Headline figures</h2>\n{inner}\n</section>\n'
    return (
        f'<section id="{ident}" aria-labelledby="h-{ident}">\n<h2 id="h-{ident}">{heading}</h2>\n{inner}\n</section>\n'
    )


def _meanings() -> Iterator[str]:
    yield '<dl class="words">'
    for word, meaning in MEANINGS.items():
        yield f"<div><dt>{clean(word)}</dt><dd>{clean(meaning)}</dd></div>"
    yield "</dl>"
