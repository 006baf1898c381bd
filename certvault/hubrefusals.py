"""What is said when a hub, or something for it, is refused."""

from __future__ import annotations

from certvault.errors import ConflictError
from certvault.settings import Settings
from verify.formats.refusal import Refusal, RefusedError, Text, refuse
from verify.trust.hubs import HubError

_ASK = Text("请与该枢纽的运营方核实后重试。", "Ask those who run the hub, then try again.")
_AGAIN = Text(
    "请由持有准入根的离线库重新签发登记项。", "Have the vault that holds the admitting root sign the entry anew."
)

REASONS: dict[str, tuple[str, str, Text]] = {
    "HUB_ENTRY_BROKEN": ("登记项无法读取：{reason}", "the entry cannot be read: {reason}", _AGAIN),
    "HUB_ENTRY_OTHER_HUB": ("登记项属于枢纽 {hub}", "the entry is of hub {hub}", _AGAIN),
    "HUB_ENTRY_UNTRUSTED": (
        "登记项不是由枢纽锚所指定的准入根之下的密钥签名：{reason}",
        "the entry is not signed under a root that admits regions by the hub's anchor: {reason}",
        _AGAIN,
    ),
    "HUB_ENTRY_FUTURE": ("登记项自 {admitted} 起才成立", "the entry begins at {admitted}, in the future", _AGAIN),
    "HUB_ENTRY_ROLLBACK": (
        "登记项编号 {offered} 早于已有的 {held}",
        "the entry has the number {offered}, older than {held} that is held",
        _AGAIN,
    ),
    "HUB_ENTRY_EQUIVOCATED": (
        "编号 {sequence} 的登记项有两种内容",
        "the entry of number {sequence} has two contents",
        _AGAIN,
    ),
    "HUB_ENTRY_TWICE": ("区域 {region} 登记了两次", "region {region} stands twice", _ASK),
    "REGION_OUTSIDE_HUB": (
        "区域 {region} 不在枢纽 {hub} 的辖区之内",
        "region {region} is not inside the territory of hub {hub}",
        Text("枢纽只准入本辖区内的区域。", "A hub admits regions of its own territory only."),
    ),
    "HUB_LIST_BROKEN": ("总清单无法读取：{reason}", "the list of lists cannot be read: {reason}", _ASK),
    "HUB_LIST_OTHER_HUB": ("总清单属于枢纽 {hub}", "the list of lists is of hub {hub}", _ASK),
    "HUB_LIST_UNTRUSTED": (
        "总清单不是由枢纽锚之下的密钥签名：{reason}",
        "the list of lists is not signed under the hub's anchor: {reason}",
        _ASK,
    ),
    "HUB_LIST_FUTURE": (
        "总清单的签发时间 {issued} 在将来",
        "the list of lists was issued at {issued}, in the future",
        _ASK,
    ),
    "HUB_LIST_ROLLBACK": (
        "总清单编号 {offered} 早于已有的 {held}：有人放回了旧清单",
        "the list of lists has the number {offered}, older than {held} that is held: a former one was put back",
        _ASK,
    ),
    "HUB_LIST_EQUIVOCATED": (
        "编号 {sequence} 的总清单有两种内容",
        "the list of lists of number {sequence} has two contents",
        _ASK,
    ),
    "HUB_STALE": (
        "枢纽 {hub} 的总清单已于 {next_update} 到期：枢纽或其间有人扣留了新清单",
        "the list of lists of hub {hub} ran out at {next_update}: the hub, or who stands between, withholds newer ones",
        _ASK,
    ),
    "HUB_BEHIND": (
        "枢纽所列区域 {region} 的清单（{offered}）比已有的（{held}）旧",
        "the hub names list {offered} of region {region}, which is older than {held} that is held",
        _ASK,
    ),
}
"""Reason in both languages and remedy of each code."""


def refused(error: HubError, field: str = "hub") -> RefusedError:
    """The refusal that tells of what does not count."""
    zh, en, remedy = REASONS[error.code]
    return ConflictError(
        Refusal(error.code, field, Text(zh.format_map(error.params), en.format_map(error.params)), remedy)
    )


def told(code: str) -> Text:
    """A code in words without its parameters."""
    zh, en, _ = REASONS[code]
    return Text(zh.partition("：")[0].format_map(_Blank()), en.partition(":")[0].format_map(_Blank()))


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def require_licenses(settings: Settings) -> None:
    """Raise RefusedError in a hub, which keeps no licenses: at every door by which one could come to be."""
    if settings.is_hub:
        raise refuse(
            "HUB_KEEPS_NO_LICENSES",
            "",
            "本库是枢纽，不保存、不签发证照，也没有颁发机构和签发用印章",
            "this vault is a hub: it keeps and issues no licenses, and has no issuers or seals for them",
            remedy_zh="请在区域自己的证照库中办理。",
            remedy_en="Use the vault of the region itself.",
        )


def require_hub(settings: Settings) -> None:
    """Raise RefusedError in a vault that is no hub."""
    if not settings.is_hub:
        raise refuse(
            "NOT_A_HUB",
            "",
            "本库不是枢纽",
            "this vault is no hub",
            remedy_zh="枢纽须以 certvault init --hub 新建，已有的库不能改作枢纽。",
            remedy_en="A hub is made with certvault init --hub; a vault that exists does not become one.",
        )
