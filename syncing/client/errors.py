"""The errors that calls to the vendor's API raise.

RebootError
├── ConfigurationError      a setting is wrong; asking again cannot help
│   └── ForbiddenHostError  a link leads to a host that is not on the list
├── AuthenticationError     the vendor refuses the login, the key or the token
│   └── ForbiddenError      … or this one request of a login that is good elsewhere
├── NotFoundError           no such object, or no such address
├── RateLimitedError        too many requests; ``retry_after_s`` says when
├── UnavailableError        no answer, a cut answer, or the vendor's own fault (5xx)
│   └── SlowAnswerError     … or none in time, of the vendor or its gateway (502–504)
├── UnexpectedStatusError   a status that the contract does not know
├── UnexpectedShapeError    an answer that is not what the contract says
├── ListChangedError        a list changed each time that it was read
├── ExpiredLinkError        a download link is too old; ask for the export again
└── TooLargeError           an answer or a file above the size limit

That there is no data for an export is an answer, not an error: see ``ExportReply``.

Every message is one plain sentence or two: what happened, to what, what to do. It
names routes, hosts, fields and statuses; never a payload, a name, a token or the
query of a link, because messages are stored and shown.
"""


class RebootError(Exception):
    """A call to the vendor's API failed; the base class of all errors of the client.

    ``code`` is stable text for storing and counting. ``temporary`` is true when the
    same request may succeed later without anybody changing anything.
    """

    code = "reboot_error"
    temporary = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        fields: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.retry_after_s = retry_after_s
        self.fields = fields

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments break the default pickling, and task results are
        # pickled.
        state = {
            "status": self.status,
            "retry_after_s": self.retry_after_s,
            "fields": self.fields,
            "temporary": self.temporary,
        }
        return (type(self), (self.message,), state)


class ConfigurationError(RebootError):
    """A setting is wrong, so asking again cannot help."""

    code = "configuration"


class ForbiddenHostError(ConfigurationError):
    """A link leads to a host from which no files may be fetched."""

    code = "forbidden_host"


class AuthenticationError(RebootError):
    """The vendor refuses the login, the key or the token."""

    code = "authentication"


class ForbiddenError(AuthenticationError):
    """The vendor refuses this one request, of a login that may be good elsewhere."""

    code = "forbidden"


class NotFoundError(RebootError):
    """The vendor knows no such object or address."""

    code = "not_found"


class RateLimitedError(RebootError):
    """The vendor asks for fewer requests; ``retry_after_s`` says when to return."""

    code = "rate_limited"
    temporary = True


class UnavailableError(RebootError):
    """The vendor gave no answer, a cut one, or failed by itself (5xx)."""

    code = "unavailable"
    temporary = True


class SlowAnswerError(UnavailableError):
    """The vendor did not answer in time: perhaps what was asked for is too much."""


class UnexpectedStatusError(RebootError):
    """The vendor answered with a status that its contract does not name."""

    code = "unexpected_status"


class UnexpectedShapeError(RebootError):
    """The vendor's answer is not of the shape that its contract names."""

    code = "unexpected_shape"
    #: The vendor's id of the entry of a list that this is about, where it has one.
    entry_id: str | None = None


class ListChangedError(RebootError):
    """A list changed each time that it was read, so that an entry may be missing."""

    code = "list_changed"


class ExpiredLinkError(RebootError):
    """The link of a file is too old; a new export gives a new link."""

    code = "expired_link"
    # Not temporary: the same link stays dead; a new export gives a new one.


class TooLargeError(RebootError):
    """An answer or a file is above the size limit."""

    code = "too_large"
