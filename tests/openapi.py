"""Holds answers against the documented OpenAPI schemas."""

from typing import Any

import jsonschema_rs

from reboot_site.api import api


def documented(path: str, method: str = "get") -> dict[str, Any]:
    """What the document says of one operation."""
    return api.get_openapi_schema()["paths"][path][method]


def assert_documented(response, path: str, method: str = "get") -> None:
    """The status is documented for the path and the body fits its schema."""
    known = documented(path, method)["responses"]
    assert response.status_code in known, response.status_code
    answer = known[response.status_code]
    if "$ref" in answer:
        name = answer["$ref"].rpartition("/")[2]
        answer = api.get_openapi_schema()["components"]["responses"][name]
    content = answer["content"]
    media_type = response["Content-Type"].split(";")[0]
    assert media_type in content
    if media_type != "application/json":
        return  # a file: its own tests look into it
    schema = content[media_type]["schema"]
    whole = {**schema, "components": api.get_openapi_schema()["components"]}
    validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
    validator.validate(response.json())
