"""Conversation items: the wire's ⇄ the session's. Pure."""

from speakback.gateway.realtime.refusal import Refusal
from speakback.gateway.realtime.wire_models import NewItem, NewMessage, NewToolCall, NewToolOutput
from speakback.session.items import Item, MessageItem, ToolCallItem, ToolOutputItem

_PART_OF_ROLE = {"system": ("input_text",), "user": ("input_text",), "assistant": ("output_text", "text")}


def item_from_wire(new: NewItem, fresh_id: str) -> Item:
    """The item that a client wants in the conversation; `fresh_id` where it names none. Raises `Refusal`."""
    item_id = new.id or fresh_id
    match new:
        case NewMessage():
            _check_parts(new)
            text = "\n".join(part.text for part in new.content)
            return MessageItem(item_id=item_id, role=new.role, text=text, spoken=False)
        case NewToolCall():
            return ToolCallItem(item_id=item_id, call_id=new.call_id, name=new.name, arguments=new.arguments)
        case NewToolOutput():
            return ToolOutputItem(item_id=item_id, call_id=new.call_id, output=new.output)


def _check_parts(new: NewMessage) -> None:
    wanted = _PART_OF_ROLE[new.role]
    for index, part in enumerate(new.content):
        if part.type not in wanted:
            param = f"item.content.{index}.type"
            raise Refusal(
                "invalid_value", f"{param}: a message of the {new.role} holds {wanted[0]}, not {part.type}", param=param
            )


def item_object(item: Item, *, shows_transcript: bool = True) -> dict[str, object]:
    """The wire's form of an item. `shows_transcript` False: the user's spoken words are left out (null)."""
    head: dict[str, object] = {"id": item.item_id, "object": "realtime.item"}
    match item:
        case MessageItem():
            return {
                **head,
                "type": "message",
                "status": item.status,
                "role": item.role,
                "content": [_part(item, shows_transcript)],
            }
        case ToolCallItem():
            return {
                **head,
                "type": "function_call",
                "status": "completed",
                "call_id": item.call_id,
                "name": item.name,
                "arguments": item.arguments,
            }
        case ToolOutputItem():
            return {
                **head,
                "type": "function_call_output",
                "status": "completed",
                "call_id": item.call_id,
                "output": item.output,
            }


def _part(item: MessageItem, shows_transcript: bool) -> dict[str, object]:
    if item.role == "assistant":
        return (
            {"type": "output_audio", "transcript": item.text}
            if item.spoken
            else {"type": "output_text", "text": item.text}
        )
    if item.spoken:
        return {"type": "input_audio", "transcript": item.text if shows_transcript and item.text else None}
    return {"type": "input_text", "text": item.text}
