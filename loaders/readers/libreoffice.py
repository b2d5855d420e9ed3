"""RTF, and Word files too old for our own reader, by way of LibreOffice where it is installed.

In: the bytes of a file. Out: the :class:`~loaders.model.Document` of the DOCX that LibreOffice makes of it. This is
the one reader that starts a program and writes to a temporary folder. Every call has a folder and a LibreOffice
profile of its own and is ended after a time, because two runs with one profile fail, and the result is checked,
because a failed conversion ends with exit code 0.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from loaders.errors import DocumentRejected
from loaders.model import Document
from loaders.readers import word
from loaders.readers.sniff import DOC, RTF, sniff_media_type

TIMEOUT_SECONDS = 120
# Garbage that bears a known suffix is converted "successfully"; so the content must be of the format.
_CONTENT = {".doc": DOC, ".wps": DOC, ".rtf": RTF}


def read_rtf(data: bytes) -> Document:
    """Read an RTF file.

    Raises:
        DocumentRejected: as :func:`convert_to_docx` and :func:`loaders.readers.word.read_docx`.
    """
    return replace(word.read_docx(convert_to_docx(data, ".rtf")), media_type=RTF)


def read_doc(data: bytes) -> Document:
    """Read a binary Word file ourselves; one of a kind that we do not know (Word 95), by LibreOffice.

    Raises:
        DocumentRejected: as :func:`loaders.readers.word.read_doc`.
    """
    try:
        return word.read_doc(data)
    except DocumentRejected as rejection:
        if rejection.reject_code != "unsupported_format" or find_soffice() is None:
            raise
    return replace(word.read_docx(convert_to_docx(data, ".doc")), media_type=DOC)


def find_soffice() -> str | None:
    """The LibreOffice command, or null where it is not installed."""
    return shutil.which("soffice") or shutil.which("libreoffice")


def convert_to_docx(data: bytes, suffix: str) -> bytes:
    """Convert a ``.doc``, ``.wps`` or ``.rtf`` file to DOCX.

    Raises:
        DocumentRejected: ``unsupported_format`` when LibreOffice is not installed or the content is not what the
            suffix says, ``time_limit`` when it takes too long, ``damaged_document`` when nothing came out.
    """
    if suffix not in _CONTENT or sniff_media_type(data) != _CONTENT[suffix]:
        raise DocumentRejected("unsupported_format", f"the content is not that of a {suffix} file")
    command = find_soffice()
    if command is None:
        message = f"a {suffix} file of this kind needs LibreOffice; install it or save the file as .docx"
        raise DocumentRejected("unsupported_format", message)
    with tempfile.TemporaryDirectory(prefix="gongkai-") as name:
        return _convert(command, data, Path(name), suffix)


def _convert(command: str, data: bytes, folder: Path, suffix: str) -> bytes:
    source = folder / f"document{suffix}"
    source.write_bytes(data)
    out = folder / "out"
    arguments = [
        command,
        f"-env:UserInstallation={(folder / 'profile').as_uri()}",
        "--headless",
        "--norestore",
        "--convert-to",
        "docx",
        "--outdir",
        str(out),
        str(source),
    ]
    # The command starts children; they are ended with it.
    process = subprocess.Popen(
        arguments,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise DocumentRejected("time_limit", f"the conversion took longer than {TIMEOUT_SECONDS} s") from error
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    result = out / "document.docx"
    content = result.read_bytes() if result.is_file() else b""
    if not content.startswith(b"PK"):
        raise DocumentRejected("damaged_document", f"LibreOffice could not convert the {suffix} file")
    return content
