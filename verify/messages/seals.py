"""Why a step of a seal's verification ended as it did, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping

from verify.formats.refusal import Text
from verify.messages.reasons import worded

_REASONS: dict[str, tuple[str, str]] = {
    "seal-format": ("结构符合第 {version} 版印章格式。", "The structure is that of a seal of version {version}."),
    "signature-format": (
        "结构符合第 {version} 版签章格式。",
        "The structure is that of a seal signature of version {version}.",
    ),
    "format-wrong": ("结构不符合格式：{part}（{why}）。", "The structure does not conform: {part}: {why}."),
    "not-reached": ("结构无法读取，此步未执行。", "The structure cannot be read, so this step did not run."),
    "certificate-unreadable": ("证书无法读取。", "The certificate cannot be read."),
    "value-good": ("签名值正确，签名者：{subject}。", "The signature value is right; signed by {subject}."),
    "value-wrong": (
        "签名值与内容或 {subject} 的公钥不符。",
        "The value does not match the content and the key of {subject}.",
    ),
    "algorithm-unknown": ("签名算法不支持：{algorithm}。", "The algorithm is not supported: {algorithm}."),
    "algorithm-weak": (
        "签名值相符，但所用算法 {algorithm} 已不再可靠，按策略不予采信。",
        "The value matches, but it rests on {algorithm}, which the policy no longer counts.",
    ),
    "other-version": ("第 {version} 版没有此步。", "Version {version} has no such step."),
    "created": ("印章创建时间为 {created}。", "The seal was created at {created}."),
    "created-late": (
        "印章创建时间 {created} 晚于 {moment} 或晚于有效期截止时间。",
        "The seal's creation time {created} lies after {moment} or after the end of its validity.",
    ),
    "usage-wrong": (
        "{subject} 的证书密钥用途不允许签名。",
        "The key usage of {subject}'s certificate does not allow signing.",
    ),
    "no-maker": (
        "{subject} 的证书另有用途，不得制作印章。",
        "The certificate of {subject} is for something else than making seals.",
    ),
    "no-trust": ("未给出信任的根证书，此步未执行。", "No trusted root was given, so this step did not run."),
    "lapsed-since": (
        "{subject} 的证书现已过期或吊销，但制章时有效。",
        "The certificate of {subject} has lapsed since, but was good when the seal was made.",
    ),
    "within-validity": ("{moment} 在印章有效期 {start} 至 {end} 之内。", "{moment} lies within {start} to {end}."),
    "outside-validity": (
        "{moment} 不在印章有效期 {start} 至 {end} 之内。",
        "{moment} lies outside the seal's validity, {start} to {end}.",
    ),
    "no-timestamp": ("没有时间戳。", "It carries no timestamp."),
    "timestamp-good": ("时间戳有效，时间为 {time}。", "The timestamp is good; it says {time}."),
    "timestamp-untrusted": (
        "时间戳与签名相符，时间为 {time}；未给出信任的根证书，时间戳服务未作判断。",
        "The timestamp matches, it says {time}; without a trusted root its authority was not judged.",
    ),
    "timestamp-broken": ("时间戳无法读取。", "The timestamp cannot be read."),
    "timestamp-other": ("时间戳不是对该签名值加盖的。", "The timestamp is over something else."),
    "timestamp-wrong": ("时间戳的签名不正确。", "The timestamp's own signature is wrong."),
    "timestamp-authority": ("时间戳服务 {subject} 不可信。", "The timestamp authority {subject} is not trusted."),
    "timestamp-early": (
        "时间戳时间 {time} 早于印章创建时间 {created}。",
        "The timestamp's time {time} lies before the seal's creation at {created}.",
    ),
    "timestamp-before-signing": (
        "时间戳时间 {time} 早于所称的签章时间（{created} 之后）：两者不可能都对。",
        "The timestamp's time {time} lies before the stated signing, which is after {created}: one of them is wrong.",
    ),
    "signer-listed": ("签章者证书在印章的证书列表中。", "The signer's certificate is in the seal's list."),
    "signer-not-listed": (
        "签章者证书不在印章的证书列表中：此人无权使用该印章，或换证后未重新制章。",
        "The signer's certificate is not in the seal's list: not entitled, or renewed and the seal not made anew.",
    ),
    "list-unknown-hash": (
        "印章的证书列表使用了未知或不再可靠的杂凑算法 {name}。",
        "The seal's list uses a hash that is unknown or no longer counts, {name}.",
    ),
    "outside-certificate": (
        "签章时间 {moment} 不在 {subject} 的证书有效期内。",
        "The signing time {moment} lies outside the validity of {subject}'s certificate.",
    ),
    "inside-certificate": (
        "签章时间 {moment} 在 {subject} 的证书有效期内。",
        "The signing time {moment} lies within the validity of {subject}'s certificate.",
    ),
    "revoked-before": (
        "{subject} 的证书在签章时间 {moment} 之前已吊销。",
        "{subject}'s certificate was revoked before {moment}.",
    ),
    "revoked-since": (
        "{subject} 的证书在签章之后被吊销，签章时（{moment}）有效。",
        "{subject}'s certificate was revoked after the signing; at {moment} it was good.",
    ),
    "not-revoked": ("{subject} 的证书在 {moment} 未被吊销。", "{subject}'s certificate was not revoked at {moment}."),
    "revocation-unknown": ("没有吊销信息，此步未执行。", "There is no revocation data, so this step did not run."),
    "no-time": ("没有可用的签章时间。", "It states no usable signing time."),
    "no-data": ("未给出原文，此步未执行。", "The original data were not given, so this step did not run."),
    "data-same": ("原文杂凑值一致。", "The data's digest is the one signed."),
    "data-differs": (
        "原文杂凑值不一致：原文已被改动，或不是这份原文。",
        "The data's digest differs: changed, or other data.",
    ),
    "chain-good": ("{subject} 的证书链通向所选的根证书。", "The chain of {subject} leads to a chosen root."),
    "chain-NO_TRUSTED_PATH": (
        "{subject} 的证书链不通向所选的根证书。",
        "No chain leads from {subject} to a chosen root.",
    ),
    "chain-CERTIFICATE_EXPIRED": (
        "{subject} 的证书链中有证书已过期。",
        "A certificate in the chain of {subject} had expired.",
    ),
    "chain-CERTIFICATE_NOT_YET_VALID": (
        "{subject} 的证书链中有证书尚未生效。",
        "A certificate in the chain of {subject} was not valid yet.",
    ),
    "chain-CERTIFICATE_REVOKED": (
        "{subject} 的证书链中有证书已吊销。",
        "A certificate in the chain of {subject} was revoked.",
    ),
    "chain-ALGORITHM_WEAK": ("{subject} 的证书链使用了弱算法。", "The chain of {subject} uses a weak algorithm."),
    "chain-other": ("{subject} 的证书链不正确。", "The chain of {subject} is wrong."),
    "seal-good": ("印章验证通过。", "The seal itself is good."),
    "seal-good-untrusted": (
        "印章本身正确；未给出信任的根证书，制章者未作判断。",
        "The seal itself is right; without a trusted root its maker was not judged.",
    ),
    "all-passed": ("各步均通过。", "All steps passed."),
    "some-failed": ("有步骤未通过。", "A step failed."),
    "some-not-run": ("有步骤未执行（{code}），结论未定。", "A step did not run ({code}), so the answer is open."),
}


def reason(name: str, params: Mapping[str, object]) -> Text:
    """The sentence ``name`` with its parameters filled in."""
    zh, en = _REASONS.get(name) or _REASONS["chain-other"]
    worded_zh = {k: worded(v, "zh") if k == "why" and isinstance(v, str) else v for k, v in params.items()}
    return Text(zh.format_map(_Blank(worded_zh)), en.format_map(_Blank(params)))


class _Blank(dict[str, object]):
    """A parameter that is missing shows as a dash, never as an error."""

    def __missing__(self, key: str) -> str:
        return "–"
