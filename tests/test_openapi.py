"""The OpenAPI document is valid, and clients can be made from it and used."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest
from openapi_spec_validator import validate

from reboot_site.api import api
from tests import factories

ROOT = Path(__file__).resolve().parent.parent
NODE_TOOLS = ROOT / "tools/js/node_modules/.bin"


def document():
    """The document as a client reads it: every key is text."""
    return json.loads(json.dumps(api.get_openapi_schema()))


def nodes(node, path=""):
    """Every object of the document, with where it stands."""
    if isinstance(node, dict):
        yield path, node
        for name, value in node.items():
            yield from nodes(value, f"{path}/{name}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from nodes(value, f"{path}/{index}")


def operations():
    return [
        (path, method, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    ]


def resolved(node):
    """The object, or the shared one that it refers to."""
    if "$ref" not in node:
        return node
    found = document()
    for name in node["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def test_document_is_valid():
    validate(document())


def test_every_enum_is_by_reference():
    enums = [path for path, node in nodes(document()) if "enum" in node]
    assert [p for p in enums if not re.fullmatch(r"/components/schemas/\w+", p)] == []
    assert "/components/schemas/FileFormat" in enums


def test_server_is_where_the_document_is():
    assert [server["url"] for server in document()["servers"]] == ["/"]


@pytest.mark.parametrize(
    ("path", "method", "operation"),
    [pytest.param(*each, id=f"{each[1]} {each[0]}") for each in operations()],
)
def test_answers_have_examples_of_their_shape(path, method, operation):
    found = 0
    for status, answer in operation["responses"].items():
        content = resolved(answer).get("content", {}).get("application/json")
        if content is None:
            is_file = "text/csv" in resolved(answer).get("content", {})
            assert is_file or status == "304"
            continue
        shape = {**content["schema"], "components": document()["components"]}
        validator = jsonschema_rs.Draft202012Validator(shape, validate_formats=True)
        validator.validate(content["example"])
        found += 1
    assert found


def test_examples_are_those_of_the_text():
    text = (ROOT / "docs/api.md").read_text("utf-8")
    pattern = r"```http\n(GET|POST) (\S+)\n```\s+```json\n(.*?)\n```"
    told = {}
    for method, path, example in re.findall(pattern, text, re.DOTALL):
        place = (method.lower(), path.split("?")[0].replace("/1", "/{id}"))
        told[place] = json.loads(example)
    shown = 0
    for path, method, operation in operations():
        success = next(s for s in operation["responses"] if s.startswith("2"))
        content = operation["responses"][success]["content"].get("application/json")
        example = told.get((method, path))
        if example is not None and "detail" not in set(example) - {"status"}:
            shown += 1
            assert content["example"] == example, path
    assert shown >= 9


@pytest.mark.django_db
def test_example_of_a_definition_is_what_the_code_answers(client):
    answers = document()["paths"]["/definitions"]["get"]["responses"]
    example = answers["200"]["content"]["application/json"]["example"]
    real = client.get("/definitions", headers=factories.make_token()).json()
    assert example["method_version"] == real["method_version"]
    for name in ("metrics", "curves"):
        assert all(one in real[name] for one in example[name])
        assert example[name]


@pytest.mark.django_db
def test_reads_answer_304_as_documented(client):
    headers = factories.make_token()
    first = client.get("/stats", headers=headers)
    answers = document()["paths"]["/stats"]["get"]["responses"]
    assert "ETag" in answers["200"]["headers"]
    assert first["ETag"]
    again = client.get("/stats", headers={**headers, "If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert again["ETag"] == first["ETag"]
    assert set(resolved(answers["304"])["headers"]) == {"ETag"}


@pytest.mark.django_db
def test_headers_of_errors_are_as_documented(client, settings):
    def documented(status):
        answer = document()["paths"]["/stats"]["get"]["responses"][str(status)]
        return set(resolved(answer).get("headers", ()))

    refused = client.get("/stats")
    assert (refused.status_code, documented(401)) == (401, {"WWW-Authenticate"})
    assert refused["WWW-Authenticate"]
    settings.API_TOKEN_CALLS_PER_MINUTE = 1
    headers = factories.make_token()
    answers = [client.get("/stats", headers=headers) for _ in range(3)]
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) > 0
    assert documented(429) == {"Retry-After"}


# --- Clients that others make from it -------------------------------------------

PYTHON_CLIENT = """\
import sys
from swing_dashboard_client import AuthenticatedClient
from swing_dashboard_client.api.athletes import (
    get_movement, get_movement_data, list_players,
)
from swing_dashboard_client.models import DataType, FileFormat

url, token, movement = sys.argv[1], sys.argv[2], int(sys.argv[3])
client = AuthenticatedClient(base_url=url, token=token, raise_on_unexpected_status=True)
page = list_players.sync(client=client, limit=10)
print([player.last_name for player in page.players])
print(get_movement.sync(movement, client=client).id)
frames = {"data_type": DataType.INVERSE_KINEMATICS, "columns": "time"}
print(get_movement_data.sync(movement, client=client, **frames).columns)
# It reads one kind of body for each status; the request is its own all the same.
asked = get_movement_data._get_kwargs(movement, format_=FileFormat.CSV, **frames)
print(client.get_httpx_client().request(**asked).text.split()[0].strip('"'))
"""


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_a_client_in_python_asks_for_csv(live_server, tmp_path):
    """openapi-python-client makes one without a warning, and it works."""
    (tmp_path / "openapi.json").write_text(json.dumps(document()))
    (tmp_path / "config.yaml").write_text("post_hooks: []\n")
    made = subprocess.run(
        [
            *(Path(sys.executable).with_name("openapi-python-client"), "generate"),
            *("--path", "openapi.json", "--meta", "none", "--config", "config.yaml"),
            *("--output-path", "swing_dashboard_client", "--fail-on-warning"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    (tmp_path / "use.py").write_text(PYTHON_CLIENT)
    movement = factories.make_frames().movement
    token = factories.make_token()["Authorization"].removeprefix("Bearer ")
    used = subprocess.run(
        [sys.executable, "use.py", live_server.url, token, str(movement.pk)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert used.returncode == 0, used.stderr
    player = movement.session.player
    assert used.stdout.splitlines() == [
        str([player.last_name]),
        str(movement.pk),
        str(["time"]),
        "time",
    ]


TYPESCRIPT_CLIENT = """\
import type { components, operations } from "./api";

export const asked: operations["get_movement_data"]["parameters"] = {
  path: { id: 1 },
  query: { data_type: "inverse-kinematics", format: "csv", columns: "time" },
};
export function shown(row: components["schemas"]["ChangeOut"]): string {
  const verdict: "real" | "no_clear_change" | "unknown" = row.verdict;
  return `${row.metric}: ${verdict} ${row.delta ?? "-"} ${row.unit}`;
}
// @ts-expect-error: there is no such format
export const wrong: components["schemas"]["FileFormat"] = "xls";
"""


@pytest.mark.processes
def test_a_client_in_typescript_knows_the_words(tmp_path):
    """openapi-typescript makes the types, and the compiler takes their use."""
    if not (NODE_TOOLS / "openapi-typescript").exists() or not shutil.which("node"):
        message = "the client in TypeScript needs Node and `make check-js` before"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)
    (tmp_path / "openapi.json").write_text(json.dumps(document()))
    (tmp_path / "use.ts").write_text(TYPESCRIPT_CLIENT)
    for command in (
        [NODE_TOOLS / "openapi-typescript", "openapi.json", "-o", "api.ts"],
        [NODE_TOOLS / "tsc", "--noEmit", "--strict", "--skipLibCheck", "use.ts"],
    ):
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
