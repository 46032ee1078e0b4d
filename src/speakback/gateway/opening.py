"""How a conversation is opened: the one place where the gateway meets the session's driver."""

from speakback.gateway.conversation import Conversation, OpenConversation
from speakback.providers.engines import Engines
from speakback.session.driver import Session
from speakback.session.settings import SessionSettings
from speakback.session.snapshot import Snapshot
from speakback.session.trace import BeginTrace, untraced


def sessions_on(engines: Engines, begin_trace: BeginTrace = untraced) -> OpenConversation:
    """Opens sessions that share `engines`, each with a trace of its own."""

    def open_session(
        settings: SessionSettings, session_id: str, correlation_id: str, resumed: Snapshot | None = None
    ) -> Conversation:
        return Session(
            engines,
            settings,
            session_id=session_id,
            correlation_id=correlation_id,
            begin_trace=begin_trace,
            resumed=resumed,
        )

    return open_session
