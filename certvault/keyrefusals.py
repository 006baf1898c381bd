"""Why a key is not backed up, put back or destroyed, in words for whoever holds it."""

from __future__ import annotations

from certvault.errors import ConflictError, conflict
from certvault.model.keys import KeyRecord
from signing.errors import KeyNotFoundError, ShareError, SigningError
from verify.formats.refusal import RefusedError, refuse


def no_backup(zh: str, en: str) -> RefusedError:
    """The file is none of this vault's backups, or was changed."""
    return refuse(
        "NOT_A_KEY_BACKUP",
        "file",
        zh,
        en,
        remedy_zh="请指明本库写出的密钥备份文件。",
        remedy_en="Name a file that certvault key backup wrote for this vault.",
    )


def not_opened(error: Exception) -> Exception:
    """What to tell when a backup did not open: the device's own trouble as it is, else that the file is at fault."""
    if isinstance(error, KeyNotFoundError):
        return refuse(
            "KEY_SHARES",
            "share",
            "此密码设备中没有备份密钥",
            "the backup key is not in this device",
            remedy_zh="请以 --share 给出足够的分片。",
            remedy_en="Give enough of its shares with --share.",
        )
    if isinstance(error, SigningError) and type(error) is not SigningError:
        return error  # the device is gone, or the PIN wrong: that is not the file's fault
    return no_backup("本库的备份密钥打不开该备份", "this vault's backup key does not open it")


def bad_shares(error: ShareError) -> RefusedError:
    """The shares do not give the backup key."""
    return refuse(
        "KEY_SHARES",
        "share",
        f"密钥分片不可用：{error.zh}",
        f"the shares cannot be used: {error.reason}",
        remedy_zh="请核对份数、门限与各分片的校验码。",
        remedy_en="Check how many are needed, and each share's checksum.",
    )


def not_exportable(key: KeyRecord) -> ConflictError:
    """The key does not leave its device."""
    return conflict(
        "KEY_NOT_EXPORTABLE",
        "key",
        f"密钥 {key.name} 生成时未允许备份，不能离开密码设备",
        f"the key {key.name} was not made to be backed up and does not leave its device",
        remedy_zh="如需可备份的密钥，请在轮换时加上 --exportable，生成新的一代。",
        remedy_en="For a key that can be backed up, make the next one with key rollover and --exportable.",
    )


def present(key: KeyRecord) -> ConflictError:
    """The key is there."""
    return conflict(
        "KEY_PRESENT",
        "key",
        f"密钥 {key.name} 仍在，无需恢复",
        f"the key {key.name} is there; nothing is to be restored",
        remedy_zh="请核对备份文件。",
        remedy_en="Check which backup is meant.",
    )


def active(key: KeyRecord) -> ConflictError:
    """A key in use is not destroyed."""
    return conflict(
        "KEY_ACTIVE",
        "key",
        f"密钥 {key.name} 正在使用，不能销毁",
        f"the key {key.name} is in use and is not destroyed",
        remedy_zh="请先轮换该密钥。",
        remedy_en="Replace it with key rollover first.",
    )


def needed(key: KeyRecord) -> ConflictError:
    """A CA's key is kept."""
    return conflict(
        "KEY_NEEDED",
        "key",
        f"密钥 {key.name} 仍须签发撤销列表，不能销毁",
        f"the key {key.name} still signs revocation lists and is not destroyed",
        remedy_zh="请保留该密钥。",
        remedy_en="Keep it.",
    )
