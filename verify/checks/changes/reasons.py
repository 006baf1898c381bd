"""Why a later change is not harmless. The values are the English wording; the Chinese one stands with the messages."""

from __future__ import annotations

import enum


class Reason(enum.StrEnum):
    """One sentence part for each class of change that no rule permits."""

    # the file
    TRAILER = "the trailer was changed"
    ENCRYPTION = "the encryption was changed"
    IDENTIFIER = "the file identifier was changed"
    ROOT_MISSING = "a later revision has no catalog"
    CATALOG = "the catalog was changed"
    PERMISSIONS = "the permissions of the certification were changed"
    SCRIPT = "scripts or actions were changed"
    LAYERS = "the layers of the document were changed"
    EMBEDDED = "embedded files or names were changed"
    # pages
    PAGES_ADDED = "pages were added"
    PAGES_REMOVED = "pages were removed"
    PAGE_TREE = "the page tree is broken or was changed"
    PAGE_CONTENT = "the content of a page was changed"
    PAGE_RESOURCES = "fonts, pictures or other resources of a page were changed"
    PAGE_BOX = "the size, crop or rotation of a page was changed"
    PAGE_ENTRY = "a page was changed"
    # annotations
    ANNOTATION_ADDED = "an annotation was added that covers or adds content"
    ANNOTATION_REMOVED = "an annotation was removed"
    ANNOTATION_CHANGED = "an annotation was changed"
    ANNOTATION_COVERS = "an added annotation covers printed text"
    EMPTY_FIELD_COVERS = "an added field without a signature covers printed text"
    ANNOTATIONS_BROKEN = "the list of annotations of a page is broken"
    # forms
    FORM_REMOVED = "the form was removed"
    FORM_ENTRY = "the form was changed"
    FORM_BROKEN = "the list of form fields is broken"
    FIELD_ADDED = "a form field was added that is no signature field"
    FIELD_PLACE = "a form field was added inside another one"
    FIELD_NAME = "the name of an added form field is missing, twice or malformed"
    FIELD_REMOVED = "a form field was removed"
    FIELD_ENTRY = "a form field was changed in more than its value"
    FIELD_TYPE = "the type of a form field was changed"
    FIELD_LOCKED = "a locked or read-only form field was changed"
    FILLING_FORBIDDEN = "form data were changed though the certification forbids it"
    SIGNING_FORBIDDEN = "a signature was added though the certification or a lock forbids it"
    VISIBLE_FIELD = "a visible signature field was added to a certified document"
    SIGNATURE_CHANGED = "a signature was removed or replaced"
    SIGNATURE_RECYCLED = "a signature field shows a signature that signed an earlier revision"
    SIGNATURE_BROKEN = "the value of an added signature field is malformed"
    APPEARANCE_REPLACED = "the appearance of a form field was replaced though its value is the same"
    APPEARANCE_DIFFERS = "a form field shows something other than its value"
    APPEARANCE_PICTURE = "the appearance of a form field was replaced by pictures or other objects"
    APPEARANCE_STATE = "a button shows a state that it does not have"
    APPEARANCE_UNREADABLE = "what the appearance of a form field shows cannot be read"
    # structure, metadata, validation data
    STRUCTURE = "the structure of the document (tags) was changed"
    STRUCTURE_CIRCLE = "the structure of the document (tags) runs in a circle"
    METADATA = "the metadata are no plain XMP"
    PROPERTIES = "the document properties are malformed"
    DSS_REMOVED = "validation data were removed"
    DSS_BROKEN = "the validation data are malformed"
    DSS_CLOBBERS = "validation data overwrite an object of the signed revision"
    EXTENSIONS = "the notes on extensions are malformed"
    # bytes
    NO_REVISION = "the signature covers no whole revision"
    UNLISTED = "objects that no cross-reference lists change what repairing viewers show"
    UNKNOWN_BYTES = "bytes after the signed part belong to nothing"
    CROSS_REFERENCES = "the cross-references after the signed part are broken"
    AMBIGUOUS = "viewers can read what follows the signed part in two ways"


class Doubt(enum.StrEnum):
    """Permitted changes that somebody should look at."""

    COVERS_TEXT = "the box of a later signature lies over printed text"
    OWN_FONT = "a form field is shown in a font that came with its value"
    DRAWN_ANEW = "fields are to be drawn anew, and show something other than their values now"
    ANNOTATION = "comments were added after certification, as it allows"
