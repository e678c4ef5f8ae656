"""How the page of usage looks: light and dark, narrow and wide, on paper. Text has a contrast of 4.5 at least."""

LIGHT = {
    "page": "#ffffff",
    "panel": "#f4f6f9",
    "text": "#17202c",
    "muted": "#505c6b",
    "rule": "#c9d1db",
    "used": "#0a5fb8",
    "borrowed": "#a65300",
    "over": "#b3173a",
    "lent": "#0b7355",
    "promised": "#6247aa",
    "busy": "#5b6b80",
    "outline": "#7d8998",
    "ink": "#ffffffb8",
}
DARK = {
    "page": "#10151c",
    "panel": "#19212b",
    "text": "#e7ecf3",
    "muted": "#a9b4c2",
    "rule": "#37424f",
    "used": "#5aa7f5",
    "borrowed": "#f0ad42",
    "over": "#ff7d8c",
    "lent": "#48c79c",
    "promised": "#b39df0",
    "busy": "#93a1b3",
    "outline": "#7f8c9c",
    "ink": "#0b1017b8",
}
INKS = ("text", "muted", "used", "borrowed", "over", "lent")
"""What is written in, on ``page`` and on ``panel``."""


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in colours.items())


STYLE = (
    f"""\
:root{{color-scheme:light dark;{_variables(LIGHT)}}}
@media (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}
@media print{{:root{{color-scheme:light;{_variables(LIGHT)}}}}}
"""
    + """\
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:1.5rem clamp(.8rem,3vw,2.5rem) 3rem;max-width:88rem;background:var(--page);
color:var(--text);font:1rem/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;
print-color-adjust:exact;-webkit-print-color-adjust:exact}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .2rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2.2rem 0 .5rem;padding-bottom:.25rem;border-bottom:1px solid var(--rule)}
h3{font-size:1rem;margin:1.2rem 0 .3rem}
p{margin:.3rem 0}
figure{margin:0}
figcaption{margin-top:.35rem}
a{color:var(--used)}
a:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--used);outline-offset:2px}
.muted,figcaption{color:var(--muted)}
.small{font-size:.875rem}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:.7rem 0 0;padding:0;list-style:none;font-size:.9375rem}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(7.2rem,1fr));gap:.6rem;margin:.5rem 0 .7rem}
.cards div{background:var(--panel);border:1px solid var(--rule);border-radius:.5rem;padding:.5rem .7rem}
.cards dt{color:var(--muted);font-size:.8125rem}
.cards dd{margin:0;font-size:1.5rem;line-height:1.2;font-weight:650;overflow-wrap:anywhere;
font-variant-numeric:tabular-nums}
.cards dd.long{font-size:1.05rem}
.cards .c-borrowed dd{color:var(--borrowed)}
.cards .c-over dd{color:var(--over)}
.banner{border:2px solid var(--over);border-radius:.5rem;padding:.4rem .8rem;color:var(--over);font-weight:650;
overflow-wrap:anywhere}
.unseen{position:absolute;width:1px;height:1px;margin:-1px;padding:0;border:0;overflow:hidden;clip-path:inset(50%);
white-space:nowrap}
.attention{margin:.4rem 0;padding:0;list-style:none}
.attention li{border-left:4px solid var(--outline);padding:.2rem .7rem;margin:.35rem 0;background:var(--panel);
overflow-wrap:anywhere}
.attention p{margin:0}
.attention .do{color:var(--muted);font-size:.9375rem}
.attention .a-over-quota,.attention .a-stopped,.attention .a-inactive{border-color:var(--over)}
.attention .a-starved,.attention .a-waits-beside-room{border-color:var(--used)}
.attention .a-no-queue,.attention .a-promises{border-color:var(--borrowed)}
.attention b{font-weight:650}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;margin:.5rem 0;padding:0;list-style:none;font-size:.875rem}
.legend svg{vertical-align:-.2em;margin-right:.4em;overflow:visible}
.bars{margin:0;padding:0;list-style:none}
.bars li,.bars .scale{display:grid;grid-template-columns:minmax(9rem,14rem) minmax(0,1fr) minmax(13rem,19rem);
gap:0 1rem;align-items:center;padding:.3rem 0;break-inside:avoid}
.bars li{border-top:1px solid var(--rule)}
.bars .scale{padding:0}
.who{overflow-wrap:anywhere;font-weight:600;line-height:1.25}
.who .small{display:inline-block}
.what{font-size:.875rem;font-variant-numeric:tabular-nums;line-height:1.3}
.tag{display:inline-block;border:1px solid currentColor;border-radius:1rem;padding:0 .5rem;font-size:.75rem;
font-weight:600;line-height:1.4;white-space:nowrap;color:var(--muted)}
.t-over-quota,.t-inactive,.t-stopped{color:var(--over)}
.t-borrowing{color:var(--borrowed)}
.t-starved,.t-waiting{color:var(--used)}
.t-lending{color:var(--lent)}
svg.bar,svg.axis{display:block;overflow:visible}
svg.axis text{font-size:11px;fill:var(--muted);font-variant-numeric:tabular-nums}
.tick{stroke:var(--outline)}
.used{fill:var(--used)}
.lent{fill:url(#p-lent)}
.borrowed{fill:url(#p-borrowed)}
.over{fill:url(#p-over)}
.idle{fill:var(--page);stroke:var(--outline);stroke-width:1}
.busy{fill:var(--busy)}
.absent{fill:none;stroke:var(--outline);stroke-width:1;stroke-dasharray:2 3}
.waiting{fill:var(--busy)}
.promised{fill:var(--promised)}
.f-borrowed{fill:var(--borrowed)}
.f-over{fill:var(--over)}
.f-lent{fill:var(--lent)}
.f-ink{fill:var(--ink)}
.s-ink{stroke:var(--ink);stroke-width:1.6;fill:none}
.guarantee{stroke:var(--text);stroke-width:3}
.limit{stroke:var(--text);stroke-width:2;stroke-dasharray:3 3}
.patterns{position:absolute}
.scroll{overflow-x:auto;max-width:100%}
table{border-collapse:collapse;width:100%;font-size:.875rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .45rem;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}
thead th{color:var(--muted);font-weight:600;vertical-align:bottom}
td.n,th.n{text-align:right}
td.n{white-space:nowrap}
tbody th{font-weight:600;overflow-wrap:anywhere;min-width:9rem}
td.zero{color:var(--muted)}
tr.first>*{border-top:2px solid var(--rule)}
.words dt{font-weight:650}
.words dd{margin:0 0 .4rem}
.words{columns:24rem;column-gap:2.5rem;font-size:.9375rem}
.words div{break-inside:avoid}
footer{margin-top:2.5rem;padding-top:.6rem;border-top:1px solid var(--rule);color:var(--muted);font-size:.875rem;
overflow-wrap:anywhere}
@media (min-width:75rem){
.bars li,.bars .scale{grid-template-columns:14rem minmax(0,1fr) 25rem}
}
@media (max-width:46rem){
.bars li,.bars .scale{grid-template-columns:minmax(0,1fr);gap:.25rem 0;padding:.5rem 0}
.bars .scale{padding:0}
.bars .scale>span{display:none}
}
@media print{
body{max-width:none;padding:0;font-size:9.5pt}
nav{display:none}
.scroll{overflow:visible}
.bars li,.bars .scale{grid-template-columns:10rem minmax(0,1fr) 13rem}
table{font-size:7.5pt}
th,td{padding:.15rem .3rem}
tbody th{min-width:5.5rem;overflow-wrap:normal}
tr,.attention li,.cards div{break-inside:avoid}
h2,h3{break-after:avoid}
thead{display:table-header-group}
}
"""
)
