"""The exceptions of this package. Their messages are those of the program `cnnfilter`."""


class Error(Exception):
    """Something that is wrong with the inputs or the model."""


class OptionError(Error, ValueError):
    """An argument that cannot be, or arguments that do not go together."""


class FileError(Error, OSError):
    """A file that cannot be read or written, or that holds something else than it should."""
