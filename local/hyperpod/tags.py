"""Tags by resource ARN, and the three operations on them."""

from collections.abc import Callable, Iterable, Mapping

from local.hyperpod.errors import not_found, validation
from local.hyperpod.request import JsonObject, Request

MOST_TAGS = 50


class Tags:
    """`exists` tells at a moment whether an ARN is that of a cluster, a compute quota or a cluster policy."""

    def __init__(self, exists: Callable[[str, float], bool]) -> None:
        self._exists = exists
        self._by_arn: dict[str, dict[str, str]] = {}

    def begin(self, arn: str, tags: Mapping[str, str]) -> None:
        """The tags that a new resource comes with."""
        self._by_arn[arn] = dict(tags)

    def checked(self, tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
        """The tags by key. Raises ValidationException for a key that comes twice or that AWS keeps to itself."""
        result: dict[str, str] = {}
        for tag in tags:
            if tag["Key"] in result:
                raise validation(f"Duplicate tag key: {tag['Key']}")
            if tag["Key"].lower().startswith("aws:"):
                raise validation(f"Tag keys that start with aws: are reserved: {tag['Key']}")
            result[tag["Key"]] = tag["Value"]
        return result

    def add_tags(self, request: Request) -> JsonObject:
        held = self._of(request)
        result = held | self.checked(request.body["Tags"])
        if len(result) > MOST_TAGS:
            raise validation(f"A resource has at most {MOST_TAGS} tags, this one would have {len(result)}.")
        self._by_arn[request.body["ResourceArn"]] = result
        return {"Tags": _listed(result)}

    def list_tags(self, request: Request) -> JsonObject:
        """All tags: a page holds at least 50, and no resource has more."""
        if "NextToken" in request.body:
            raise validation("Invalid NextToken.")
        return {"Tags": _listed(self._of(request))}

    def delete_tags(self, request: Request) -> JsonObject:
        gone = set(request.body["TagKeys"])
        kept = {key: value for key, value in self._of(request).items() if key not in gone}
        self._by_arn[request.body["ResourceArn"]] = kept
        return {}

    def _of(self, request: Request) -> dict[str, str]:
        arn = request.body["ResourceArn"]
        if not self._exists(arn, request.now):
            raise not_found(f"Resource {arn} does not exist.")
        return self._by_arn.get(arn, {})


def _listed(tags: Mapping[str, str]) -> list[JsonObject]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
