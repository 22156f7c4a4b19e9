"""What can go wrong between us and the vendor.

RebootError
├── ConfigurationError      a setting is wrong; asking again cannot help
│   └── ForbiddenHostError  a link leads to a host that is not on the list
├── AuthenticationError     the vendor refuses the login, the key or the token
│   └── ForbiddenError      … or this one request of a login that is good elsewhere
├── NotFoundError           no such object, or no such address
├── RateLimitedError        too many requests; ``retry_after_s`` says when
├── UnavailableError        no answer, a cut answer, or the vendor's own fault (5xx)
├── UnexpectedStatusError   a status that the contract does not know
├── UnexpectedShapeError    an answer that is not what the contract says
├── ExpiredLinkError        a download link is too old; ask for the export again
└── TooLargeError           an answer or a file above the size limit

That there is no data for an export is an answer, not an error: see ``ExportReply``.

Every message is one plain sentence or two: what happened, to what, what to do. It
names routes, hosts, fields and statuses; never a payload, a name, a token or the
query of a link, because messages are stored and shown.
"""


class RebootError(Exception):
    """Base of all errors of the vendor's client.

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
    code = "configuration"


class ForbiddenHostError(ConfigurationError):
    code = "forbidden_host"


class AuthenticationError(RebootError):
    code = "authentication"


class ForbiddenError(AuthenticationError):
    code = "forbidden"


class NotFoundError(RebootError):
    code = "not_found"


class RateLimitedError(RebootError):
    code = "rate_limited"
    temporary = True


class UnavailableError(RebootError):
    code = "unavailable"
    temporary = True


class UnexpectedStatusError(RebootError):
    code = "unexpected_status"


class UnexpectedShapeError(RebootError):
    code = "unexpected_shape"


class ExpiredLinkError(RebootError):
    code = "expired_link"
    # Not temporary: the same link stays dead; a new export gives a new one.


class TooLargeError(RebootError):
    code = "too_large"
