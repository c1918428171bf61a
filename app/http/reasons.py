"""Says in our own words why pydantic refused a value."""

from collections.abc import Mapping

from core.text import Text, say


def explain(kind: object, details: object, otherwise: Text) -> Text:
    """Return what follows "… is" in the sentence about a value.

    Args:
        kind: what pydantic calls the fault.
        details: the limits of the value, or the error that a check of ours raised.
        otherwise: what to return where there is nothing better.
    """
    match details:
        case {"ge": least}:
            return say("too small. Write a whole number of at least {least}", least=least)
        case {"le": most}:
            return say("too large. Write a whole number of at most {most}", most=most)
        case {"error": ValueError(args=(Text() as said,))}:
            return said
        case Mapping():
            return _explain_limit(kind, details) or otherwise
        case _:
            return _explain_kind(kind) or otherwise


def _explain_limit(kind: object, details: Mapping[str, object]) -> Text | None:
    match kind, details:
        case "string_too_long", {"max_length": most}:
            return say("too long. Write at most {most} characters", most=most)
        case "too_short", _:
            return say("empty. Write at least one")
        case "enum", {"expected": str(expected)}:
            return say("not a valid value. Write one of {known}", known=expected.replace(" or ", ", ").replace("'", ""))
        case "model_type", _:
            return say("not an object")
        case _:
            return None


def _explain_kind(kind: object) -> Text | None:
    match kind:
        case "int_type" | "int_from_float" | "int_parsing":
            return say("not a whole number. Write decimal digits, such as 1001")
        case "string_type":
            return say("not a string. Write a JSON string")
        case "list_type":
            return say("not a list")
        case _:
            return None
