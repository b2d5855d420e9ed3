"""One request, safely.

In: an address and headers. Out: an :class:`Answer` with its status, its headers and its body as it was sent, or a
:class:`Passing` failure that may be gone at the next try, or a final rejection. Redirects are not followed here:
whoever asks looks at each of them first. The environment's proxies are not used, for what they reach cannot be bounded.

Refused are bodies beyond ``max_bytes``, requests beyond ``seconds`` (also when a byte comes now and then) and, unless
``allow_private``, addresses that are not on the public internet. A name is looked up once and what was looked up is
what is connected to, so that a second answer of the name server cannot lead elsewhere.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, ClassVar

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError, SSLError
from urllib3.util.connection import create_connection

from loaders.errors import DocumentRejected, GongkaiError
from loaders.fetch.limits import FetchLimits

_PIECE = 64 * 1024
_IN_MEMORY = 1024 * 1024
# What follows the prefix is an IPv4 address that the network translates to.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Passing(GongkaiError):
    """A request failed in a way that may be gone at the next try.

    ``code`` is the reject code if it is not; ``retry_after`` is what the host asks for.
    """

    def __init__(self, message: str, code: str = "fetch_failed", retry_after: str | None = None) -> None:
        """Fail with a message, and with the header Retry-After where there was one."""
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host answered; the body is as it was sent, its encoding not undone."""

    address: str
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: IO[bytes]

    def header(self, name: str) -> str | None:
        """The first header of a name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class _Request:
    """A request under way, which another thread may end."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.is_late = False

    def end(self) -> None:
        """Wake whoever reads."""
        self.is_late = True
        if self.socket is not None:
            try:
                self.socket.shutdown(socket.SHUT_RDWR)
            except OSError:  # it is closed already
                return


_current = threading.local()


class _Watched(HTTPConnection):
    """A connection that tells its socket and looks at where it leads."""

    allow_private: ClassVar[bool] = False

    def _new_conn(self) -> socket.socket:
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise NameResolutionError(self.host, self, socket.gaierror(str(error))) from error
        numbers = [str(place[0]) for *_, place in found]
        allowed = [number for number in dict.fromkeys(numbers) if self.allow_private or is_public(number)]
        if not allowed:
            message = f"{self.host} is {', '.join(dict.fromkeys(numbers))}, which is not on the public internet"
            raise DocumentRejected("fetch_refused_address", f"{message}; --allow-private asks it nevertheless")
        failure: OSError | None = None
        for number in allowed:
            try:
                return create_connection(
                    (number, self.port), self.timeout, self.source_address, socket_options=self.socket_options
                )
            except OSError as error:
                failure = error
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, f"no connection to {self.host} in time") from failure
        raise NewConnectionError(self, f"no connection to {self.host}: {failure}") from failure

    def request(self, *arguments: Any, **options: Any) -> None:
        """Send a request and remember the socket that the answer comes from."""
        super().request(*arguments, **options)
        _current.request.socket = self.sock
        if _current.request.is_late:
            _current.request.end()


class _WatchedTls(HTTPSConnection, _Watched):
    """The same with TLS; names and certificates are checked against the host of the address."""


class _Plain(HTTPConnectionPool):
    ConnectionCls = _Watched


class _Tls(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


class _OpenWatched(_Watched):
    allow_private = True


class _OpenWatchedTls(_WatchedTls):
    allow_private = True


class _OpenPlain(HTTPConnectionPool):
    ConnectionCls = _OpenWatched


class _OpenTls(HTTPSConnectionPool):
    ConnectionCls = _OpenWatchedTls


class Client:
    """Makes requests, from any thread."""

    def __init__(self, limits: FetchLimits, *, allow_private: bool = False) -> None:
        """Prepare; nothing is connected yet."""
        self._limits = limits
        timeout = urllib3.Timeout(connect=min(limits.silence, limits.seconds), read=min(limits.silence, limits.seconds))
        self._manager = urllib3.PoolManager(num_pools=64, timeout=timeout, retries=False)
        plain, tls = (_OpenPlain, _OpenTls) if allow_private else (_Plain, _Tls)
        self._manager.pool_classes_by_scheme = {"http": plain, "https": tls}
        self._requests: set[_Request] = set()

    def ask(self, address: str, headers: Mapping[str, str]) -> Answer:
        """Ask for an address once.

        Raises:
            Passing: when the connection failed or broke off.
            DocumentRejected: when it took too long, was too large, or the address is refused.
        """
        request = _current.request = _Request()
        self._requests.add(request)
        watch = threading.Timer(self._limits.seconds, request.end)
        watch.daemon = True
        watch.start()
        try:
            return self._ask(address, headers, request)
        except HTTPError as error:
            if request.is_late:
                raise self._late(address) from error
            raise _failure(address, error) from error
        except (ValueError, OSError) as error:  # an address or an answer that urllib3 cannot take apart
            if request.is_late:
                raise self._late(address) from error
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise
            raise DocumentRejected("fetch_failed", f"{address}: {type(error).__name__}: {error}") from error
        finally:
            watch.cancel()
            self._requests.discard(request)

    def stop(self) -> None:
        """End every request that is under way."""
        for request in tuple(self._requests):
            request.end()

    def close(self) -> None:
        """Close the connections."""
        self._manager.clear()

    def _ask(self, address: str, headers: Mapping[str, str], request: _Request) -> Answer:
        limits = self._limits
        sent = {"User-Agent": limits.user_agent, "Accept": "*/*", "Accept-Encoding": "gzip", **headers}
        response = self._manager.urlopen(
            "GET", address, headers=sent, redirect=False, preload_content=False, decode_content=False
        )
        body = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  closed by whoever takes the answer
        try:
            told = response.headers.get("Content-Length", "")
            if response.status == 200 and told.isdigit() and int(told) > limits.max_bytes:
                raise _too_large(address, f"{int(told)} bytes", limits)
            size = 0
            while piece := response.read1(_PIECE):
                size += len(piece)
                if size > limits.max_bytes:
                    raise _too_large(address, "more", limits)
                body.write(piece)
            if request.is_late:  # a body without a length ends like this, too
                raise self._late(address)
            response.release_conn()
        except BaseException:
            response.close()
            body.close()
            raise
        body.seek(0)
        found = tuple((str(name), str(value)) for name, value in response.headers.items())
        return Answer(address, response.status, response.reason or "", found, body)

    def _late(self, address: str) -> DocumentRejected:
        message = f"{address}: not answered in full within {self._limits.seconds:g} seconds"
        return DocumentRejected("fetch_timed_out", f"{message} (GONGKAI_FETCH_SECONDS sets the limit)")


def is_public(number: str) -> bool:
    """Whether an IP address is one of the public internet, also where it wraps another."""
    address = ipaddress.ip_address(number.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if address.teredo is not None or inner is not None:
            return inner is not None and is_public(str(inner))
    return address.is_global and not address.is_multicast


def _failure(address: str, error: HTTPError) -> GongkaiError:
    if isinstance(error, SSLError) and "certificate" in str(error).lower():
        return DocumentRejected("fetch_failed", f"{address}: the certificate of the site cannot be trusted: {error}")
    if isinstance(error, urllib3.exceptions.LocationValueError):
        return DocumentRejected("fetch_failed", f"{address}: {error}")
    # A refused connection counts as a timeout in the families of urllib3's exceptions.
    if isinstance(error, urllib3.exceptions.TimeoutError) and not isinstance(error, NewConnectionError):
        return Passing("the site did not answer in time", "fetch_timed_out")
    return Passing(_words(error))


def _words(error: HTTPError) -> str:
    text = str(error).partition(": ")[2] if isinstance(error, NewConnectionError) else str(error)
    return text or type(error).__name__


def _too_large(address: str, met: str, limits: FetchLimits) -> DocumentRejected:
    megabytes = limits.max_bytes / 1024**2
    message = f"{address}: {met} where the limit is {megabytes:g} MB (GONGKAI_FETCH_MEGABYTES sets it)"
    return DocumentRejected("fetch_too_large", message)
