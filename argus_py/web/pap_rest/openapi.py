"""The OpenAPI document of the REST interface: what FastAPI knows of it, and what it does not."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from argus_py.web.pap_rest.problem import ProblemBody
from argus_py.web.problems import MEDIA_TYPE

_SCHEMAS: Final = "#/components/schemas/"
_TAG: Final = {
    "ETag": {"description": "The revision of the PAP, for If-Match and If-None-Match.", "schema": {"type": "string"}}
}
_OF_ALL: Final = {
    "400": "The request cannot be read, or what it says means nothing.",
    "403": "The caller is not known, or may not do this.",
    "404": "Something that is named does not exist.",
    "500": "A failure of the service.",
    "503": "The store, or another PAP, cannot be reached now; see Retry-After.",
}
_OF_CHANGES: Final = {
    "409": "The change contradicts what is stored.",
    "412": "The PAP is not at the revision of If-Match; changes tells who has changed it.",
    "413": "The body is too long for this caller.",
    "415": "The body is not declared as what is read here.",
}
_NOT_MODIFIED: Final = {"304": {"description": "It is what If-None-Match says."}}
_IF_NONE_MATCH: Final = {"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}}


def document(app: FastAPI, mounted: str) -> dict[str, Any]:
    described = get_openapi(
        title=app.title, version=app.version, routes=app.routes, servers=[{"url": mounted}], description=app.description
    )
    schemas = described["components"]["schemas"]
    _, problems = models_json_schema([(ProblemBody, "validation")], ref_template=f"{_SCHEMAS}{{model}}")
    schemas.update(problems["$defs"])
    for ours in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which is not what we answer
        schemas.pop(ours, None)
    for path in described["paths"].values():
        for method, operation in path.items():
            _complete(method, operation)
    described["components"]["securitySchemes"] = {"certificate": {"type": "mutualTLS"}}
    described["security"] = [{"certificate": []}]
    return described


def _complete(method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    responses["200"]["headers"] = _TAG
    refusals = _OF_ALL
    if method == "get":
        operation.setdefault("parameters", []).append(_IF_NONE_MATCH)
        responses.update(_NOT_MODIFIED)
    else:
        refusals = _OF_ALL | _OF_CHANGES
    for status, text in refusals.items():
        content = {MEDIA_TYPE: {"schema": {"$ref": f"{_SCHEMAS}ProblemBody"}}}
        responses[status] = {"description": text, "content": content}
