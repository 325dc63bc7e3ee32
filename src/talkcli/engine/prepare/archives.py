"""Data sets that are still packed: zip and tar archives, unpacked beside the output while clips are made.

An archive is untrusted input. A name that leads out of it, a link, a device, two members of one name, or more
content than the disk has room for makes `unpack` refuse the whole archive. Owners, permissions and times are
not taken over.
"""

from __future__ import annotations

import bz2
import contextlib
import errno
import gzip
import hashlib
import lzma
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, cast, runtime_checkable

from talkcli.engine.errors import InputError
from talkcli.engine.files import sha256, temporary_folder
from talkcli.engine.prepare.names import files_below
from talkcli.engine.readers.regular import open_file
from talkcli.engine.types import Reporter
from talkcli.engine.wording import counted, some

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
# Suffixes of files that lie beside archives where they are downloaded, and hold no clips.
_LEAFLETS = (".txt", ".md", ".pdf", ".html", ".md5", ".sha256", ".csv")
# Suffixes of archives that are refused.
_NOT_READ = (".rar", ".7z", ".tar.zst", ".z01", ".001")

# Most bytes that one read returns.
_CHUNK = 1 << 20
_MIB = 1 << 20
# Largest ratio of unpacked to packed size. Speech, motion and pictures hardly shrink, so an archive beyond it
# is made to fill disks.
_MOST_GROWTH = 100
# Unpacked size in bytes that is allowed at any ratio.
_SURELY_FITS = 1 << 30
# Bytes that stay free on the disk, for the clips.
_RESERVE = 256 * _MIB
# Most zero bytes behind a tar's last member; tar fills its files up to a multiple of 10 KiB.
_MOST_PADDING = 16 * _MIB
# Most folder levels of a member's path. No data set is deeper, and code that walks through folders or removes
# them recurses at every level.
_DEEPEST = 64
# Bytes that a file takes on the disk besides its content.
_OVERHEAD = 512

_DAMAGED = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, NotImplementedError,
    RuntimeError, ValueError, UnicodeError, OverflowError,
)  # fmt: skip
# Error numbers of writing that blame a member's name and not the disk, with the problem for the message.
_NAME_ERRORS = {
    errno.EEXIST: "is there twice",
    errno.EISDIR: "is a file and a folder",
    errno.ENOTDIR: "is a file and a folder",
    errno.ENAMETOOLONG: "has too long a name",
    errno.EILSEQ: "has a name this disk does not take",
    errno.EINVAL: "has a name this disk does not take",
}


def is_archive(path: Path) -> bool:
    """Return whether `path` is a file with the suffix of an archive that can be unpacked."""
    return path.name.lower().endswith(SUFFIXES) and path.is_file()


@contextlib.contextmanager
def open_root(root: Path, out: Path, reporter: Reporter) -> Iterator[Path]:
    """Yield the folder to read for ROOT: ROOT itself, or its unpacked content if it is an archive or a folder
    that holds archives, and beside them at most lists and documents.

    Archives are unpacked into OUT/.unpacked, each at its place relative to ROOT. They stay there when the
    block fails, so that the next run finds them, and are removed when it succeeds. Raises InputError for
    archives that are damaged, hostile or larger than the disk, OSError when writing fails.
    """
    archives = _archives_of(root, reporter)
    if not archives:
        yield root
        return
    whole = out / ".unpacked" / _digest(root, archives)
    if not whole.is_dir():
        _unpack_all(root, archives, whole, reporter)
    yield _inner(root, whole)
    shutil.rmtree(whole.parent)


def unpack(archive: Path, into: Path, reporter: Reporter) -> Path:
    """Write the members of one archive below `into`, and return `into`.

    Raises InputError, naming the member, for one that is hostile or damaged or whose file exists already;
    `into` then holds the members before it. Raises OSError when writing fails.
    """
    into.mkdir(parents=True, exist_ok=True)
    limit = _Limit(archive, into)
    try:
        with open_file(archive) as file:
            if archive.name.lower().endswith(".zip"):
                _unpack_zip(archive, file, into, limit, reporter)
            else:
                _unpack_tar(archive, file, into, limit, reporter)
    except _DAMAGED as error:
        raise InputError(
            f"{archive} is damaged, or no {archive.suffix[1:]} archive ({error}).", hint="Get the file again."
        ) from error
    return into


def _archives_of(root: Path, reporter: Reporter) -> list[Path]:
    if root.name.lower().endswith(_NOT_READ) and root.is_file():
        raise InputError(
            f"{root} is an archive of a kind that is not read.", hint="Unpack it; give the folder."
        )
    if is_archive(root):
        return [root]
    if not root.is_dir():
        return []
    files = files_below(root, ("",))
    archives = [path for path in files if is_archive(path)]
    if all(path in archives or path.suffix.lower() in _LEAFLETS for path in files):
        return archives
    if archives:
        reporter.warn(
            f"Passed by: {counted(len(archives), 'archive')} in {root} (the first: {archives[0].name}): "
            "other files lie beside them. To read archives, unpack them or give a folder of them alone."
        )
    return []


def _digest(root: Path, archives: list[Path]) -> str:
    parts = [f"{path.relative_to(root.parent)} {sha256(path)}" for path in archives]
    return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()[:16]


def _unpack_all(root: Path, archives: list[Path], whole: Path, reporter: Reporter) -> None:
    size_mib = sum(path.stat().st_size for path in archives) / _MIB
    reporter.note(
        f"Unpacking {some([path.name for path in archives])} ({size_mib:.0f} MiB) into {whole.parent}; "
        "what is unpacked stays there until all clips are made."
    )
    whole.parent.mkdir(parents=True, exist_ok=True)
    try:
        with temporary_folder(whole.parent) as temporary:
            partial = temporary / "partial"
            partial.mkdir()
            for archive in archives:
                folder = archive.parent.relative_to(root) if archive != root else ""
                unpack(archive, partial / folder, reporter)
            if archives[0] != root:
                _copy_leaflets(root, partial)
            partial.rename(whole)
    finally:
        if not any(whole.parent.iterdir()):
            whole.parent.rmdir()


def _copy_leaflets(root: Path, into: Path) -> None:
    """Copy the lists of speakers and labels that adapters read from beside the clips."""
    for path in files_below(root, _LEAFLETS):
        if path.is_file():
            target = into / path.relative_to(root)
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


def _inner(root: Path, whole: Path) -> Path:
    """Return the folder NAME if it is all that NAME.zip holds, otherwise `whole`."""
    inside = list(whole.iterdir())
    named = len(inside) == 1 and inside[0].name.lower() == root.name.lower().split(".")[0]
    return inside[0] if named and inside[0].is_dir() else whole


def _unpack_zip(archive: Path, file: IO[bytes], into: Path, limit: _Limit, reporter: Reporter) -> None:
    with zipfile.ZipFile(file) as packed:
        members = packed.infolist()
        for member in members:
            limit.add(member.file_size)
        for number, member in enumerate(members):
            # zipfile cuts `filename` at a zero byte, but not `orig_filename`.
            with _named(archive, member.orig_filename):
                target = _target(into, member.orig_filename)
                mode = stat.S_IFMT(member.external_attr >> 16)
                if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise InputError("is a link or a device")
                if member.flag_bits & 0x1:
                    raise InputError("is encrypted")
                if member.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                    continue
                with packed.open(member) as content:
                    _copy(_Bounded(content), target, member.file_size)
            reporter.progress("unpacking", number + 1, len(members))


def _unpack_tar(archive: Path, file: IO[bytes], into: Path, limit: _Limit, reporter: Reporter) -> None:
    size_mib = max(1, archive.stat().st_size // _MIB)
    with contextlib.closing(_decompressed(file)) as stream:
        bounded = _Bounded(stream)
        with tarfile.TarFile(
            fileobj=cast("IO[bytes]", bounded), mode="r", errors="surrogateescape"
        ) as packed:
            while (member := packed.next()) is not None:
                with _named(archive, member.name):
                    target = _target(into, member.name)
                    limit.add(member.size)
                    if member.isdir():
                        target.mkdir(parents=True, exist_ok=True)
                        continue
                    if not member.isreg() or member.issparse():
                        raise InputError("is a link, a device or has holes")
                    _copy(cast("_Stream", packed.extractfile(member)), target, member.size)
                # tarfile keeps all headers in memory, although nothing reads them again.
                packed.members = []  # type: ignore[attr-defined]  # not in typeshed
                reporter.progress("unpacking (MiB)", min(file.tell() // _MIB, size_mib), size_mib)
            # tarfile takes a damaged header for the end; zeros mark the real end.
            _check_end(archive, bounded, packed.offset)


def _check_end(archive: Path, stream: _Stream, offset: int) -> None:
    stream.seek(offset)
    left = 0
    while block := stream.read(_CHUNK):
        left += len(block)
        if block.strip(b"\0") or left > _MOST_PADDING:
            raise InputError(f"{archive} is damaged after {offset} bytes of content.", hint="Get it again.")
    if left < tarfile.BLOCKSIZE:
        raise InputError(f"{archive} is cut off: its end mark is missing.", hint="Get the file again.")


def _decompressed(file: IO[bytes]) -> _Stream:
    """Return the decompressed stream, by the first bytes of the file and not by its name."""
    start = file.read(6)
    file.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)
    if start.startswith(b"BZh"):
        return bz2.BZ2File(file)
    if start == b"\xfd7zXZ\x00":
        return lzma.LZMAFile(file)
    return file


@runtime_checkable
class _Stream(Protocol):
    """The interface from which packed content is read."""

    def read(self, size: int, /) -> bytes: ...

    def seek(self, offset: int, /) -> int: ...

    def tell(self) -> int: ...

    def close(self) -> None: ...


class _Bounded:
    """A stream that refuses to read more than `_CHUNK` at once, because a header may claim any length."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self.tell, self.seek, self.close = stream.tell, stream.seek, stream.close

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _CHUNK:
            raise ValueError(f"a header of {size} bytes")
        try:
            return self._stream.read(size)
        except OSError as error:
            # For damaged content, bz2 and gzip raise an OSError without an error number.
            if error.errno is not None:
                raise
            raise ValueError(str(error)) from error


class _Limit:
    """A counter of the bytes that an archive unpacks to; it refuses too many before they are written."""

    def __init__(self, archive: Path, into: Path) -> None:
        self._archive = archive
        self._packed = archive.stat().st_size
        self._room = shutil.disk_usage(into).free - _RESERVE
        self._total = 0

    def add(self, size: int) -> None:
        self._total += size + _OVERHEAD
        if self._total > max(_SURELY_FITS, _MOST_GROWTH * self._packed):
            raise InputError(
                f"{self._archive} has {self._packed / _MIB:.1f} MiB and would unpack to more than "
                f"{self._total / _MIB:.0f} MiB: no data set shrinks like that.",
                hint="If you trust it, unpack it yourself and give the folder.",
            )
        if self._total > self._room:
            raise InputError(
                f"{self._archive} unpacks to {self._total / _MIB:.0f} MiB or more, `out` has room "
                f"for {max(self._room, 0) / _MIB:.0f}.",
                hint="Free some space, or choose another disk for `out`.",
            )


@contextlib.contextmanager
def _named(archive: Path, name: str) -> Iterator[None]:
    """Add the archive and the member to every InputError of the block."""
    try:
        yield
    except InputError as error:
        problem = error.problem
    except OSError as error:
        if error.errno not in _NAME_ERRORS:
            raise
        problem = _NAME_ERRORS[error.errno]
    else:
        return
    raise InputError(
        f"{archive}: member {name!r:.200} {problem}, so nothing of the archive is read.",
        hint="If you trust it, unpack it yourself and give the folder.",
    )


def _target(into: Path, name: str) -> Path:
    if re.search(r"[\x00-\x1f\x7f\\]", name):
        raise InputError("has a backslash or a control character in its name")
    path = PurePosixPath(name)
    if path.is_absolute() or re.match(r"[A-Za-z]:", name):
        raise InputError("has an absolute path")
    if ".." in path.parts:
        raise InputError("leads out of the archive's folder")
    if len(path.parts) > _DEEPEST:
        raise InputError(f"lies more than {_DEEPEST} folders deep")
    # `unpack` makes no links in `into`, so a path without `..` stays inside.
    return into / path


def _copy(content: _Stream, target: Path, size: int) -> None:
    """Copy a member. Raises InputError when it is shorter than declared; neither format yields more."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        while chunk := content.read(_CHUNK):
            file.write(chunk)
    if target.stat().st_size != size:
        raise InputError(f"has {target.stat().st_size} bytes instead of {size}")
