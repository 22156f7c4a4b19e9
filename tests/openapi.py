"""Holds answers against the documented OpenAPI schemas."""

from functools import cache
from typing import Any

import jsonschema_rs

from reboot_site.api import api


@cache
def document() -> dict[str, Any]:
    """The document, made once: that takes longer than most requests."""
    return api.get_openapi_schema()


@cache
def _validator(path: str, method: str, status: int, media_type: str) -> Any:
    answer = _answer(path, method, status)
    schema = answer["content"][media_type]["schema"]
    whole = {**schema, "components": document()["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def _answer(path: str, method: str, status: int) -> dict[str, Any]:
    answer = documented(path, method)["responses"][status]
    if "$ref" in answer:
        name = answer["$ref"].rpartition("/")[2]
        answer = document()["components"]["responses"][name]
    return answer


def documented(path: str, method: str = "get") -> dict[str, Any]:
    """What the document says of one operation."""
    return document()["paths"][path][method]


def assert_documented(response, path: str, method: str = "get") -> None:
    """The status is documented for the path and the body fits its schema."""
    known = documented(path, method)["responses"]
    assert response.status_code in known, response.status_code
    content = _answer(path, method, response.status_code)["content"]
    media_type = response["Content-Type"].split(";")[0]
    assert media_type in content
    if media_type != "application/json":
        return  # a file: its own tests look into it
    validator = _validator(path, method, response.status_code, media_type)
    validator.validate(response.json())
