"""Why a value is not right, in our own words where pydantic has found out that it is not."""

from collections.abc import Mapping

from core.text import Text, say


def reason_of(kind: object, details: object, otherwise: Text) -> Text:
    """Return what stands behind "… is" in the sentence about a value.

    Args:
        kind: what pydantic calls the fault.
        details: its limits, or the error that a check of ours raised with words.
        otherwise: the reason where there is no better one.
    """
    match details:
        case {"ge": least}:
            return say("too small. Write a whole number from {least} on", least=least)
        case {"le": most}:
            return say("too large. Write a whole number up to {most}", most=most)
        case {"error": ValueError(args=(Text() as said,))}:
            return said
        case Mapping():
            return _limited(kind, details) or otherwise
        case _:
            return _of_another_kind(kind) or otherwise


def _limited(kind: object, details: Mapping[str, object]) -> Text | None:
    match kind, details:
        case "string_too_long", {"max_length": most}:
            return say("too long. Write at most {most} characters", most=most)
        case "too_short", _:
            return say("empty. Write at least one")
        case "enum", {"expected": str(expected)}:
            return say("none. Write one of {known}", known=expected.replace(" or ", ", ").replace("'", ""))
        case "model_type", _:
            return say("not an object")
        case _:
            return None


def _of_another_kind(kind: object) -> Text | None:
    match kind:
        case "int_type" | "int_from_float" | "int_parsing":
            return say("not a whole number. Write decimal digits, such as 1001")
        case "string_type":
            return say("not a text. Write a JSON string")
        case "list_type":
            return say("not a list")
        case _:
            return None
