"""What schemathesis checks beside its own checks; ``test_schemathesis.py`` says why."""

from pydantic import ValidationError
from schemathesis import Case, CheckContext, Response, check

from kilowhat.tools import TOOLS


@check
def what_the_schema_allows_the_arguments_allow(ctx: CheckContext, response: Response, case: Case) -> None:
    """A body that fits the schema is refused for what no schema can say, never for its form."""
    tool = case.operation.path.strip("/")
    if tool not in TOOLS or response.status_code != 422 or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    try:
        TOOLS[tool].arguments.model_validate(case.body)
    except ValidationError as error:
        raise AssertionError(f"The schema allows what the arguments refuse: {error}") from None
