"""What the kinds of audit lines mean, in both languages. A kind that is not here shows its code alone."""

from __future__ import annotations

from collections.abc import Mapping

from verify.formats.refusal import Text

KINDS: Mapping[str, Text] = {
    "ANSWER_CLAIMED": Text("登记请求", "request noted"),
    "ANSWER_EXPIRED": Text("请求记录过期", "noted request expired"),
    "ANSWER_KEPT": Text("保存应答", "answer kept"),
    "ANSWER_RELEASED": Text("释放请求", "request released"),
    "ARCHIVE_TIMESTAMP_ADDED": Text("补充归档时间戳", "archive timestamp added"),
    "AUDIT_ANCHORED": Text("审计锚定", "audit anchored"),
    "BACKUP_KEY_CREATED": Text("建立备份密钥", "backup key created"),
    "BACKUP_KEY_RESTORED": Text("恢复备份密钥", "backup key restored"),
    "BACKUP_TAKEN": Text("备份", "backup taken"),
    "CERTIFICATE_ISSUED": Text("签发证书", "certificate issued"),
    "CERTIFICATE_REVOKED": Text("吊销证书", "certificate revoked"),
    "CRL_ISSUED": Text("签发吊销列表", "revocation list issued"),
    "DATA_KEY_CREATED": Text("建立数据密钥", "data key created"),
    "DATA_KEY_RESTORED": Text("恢复数据密钥", "data key restored"),
    "INFO_CHECKED": Text("核验信息", "claimed facts checked"),
    "ISSUER_ADDED": Text("添加颁发机构", "issuer added"),
    "JOB_CREATED": Text("建立批量任务", "bulk job created"),
    "JOB_DONE": Text("批量任务完成", "bulk job done"),
    "JOB_PAUSED": Text("批量任务暂停", "bulk job paused"),
    "JOB_STAGED": Text("批量任务就绪", "bulk job ready"),
    "JOB_RUNNING": Text("批量任务进行", "bulk job running"),
    "JOB_ABANDONED": Text("批量任务放弃", "bulk job abandoned"),
    "KEYS_TESTED": Text("测试密钥", "keys tested"),
    "KEY_BACKED_UP": Text("备份密钥", "key backed up"),
    "KEY_CREATED": Text("建立密钥", "key created"),
    "KEY_DESTROYED": Text("销毁密钥", "key destroyed"),
    "KEY_RESTORED": Text("恢复密钥", "key restored"),
    "KEY_RETIRED": Text("密钥停止签名", "key retired"),
    "LICENSE_ACT_APPROVED": Text("批准变更证照状态", "act on a license approved"),
    "LICENSE_ACT_REQUESTED": Text("申请变更证照状态", "act on a license asked for"),
    "LICENSE_ISSUED": Text("签发证照", "license issued"),
    "LICENSE_SUSPENDED": Text("暂停证照", "license suspended"),
    "LICENSE_REINSTATED": Text("恢复证照", "license reinstated"),
    "LICENSE_REVOKED": Text("吊销证照", "license revoked"),
    "LICENSE_RENEWED": Text("延续证照", "license renewed"),
    "LICENSE_AMENDED": Text("变更证照", "license amended"),
    "LICENSE_SUPERSEDED": Text("证照被替代", "license superseded"),
    "NUMBER_ALLOTTED": Text("分配编号", "number allotted"),
    "NUMBER_VOIDED": Text("编号作废", "number voided"),
    "REMOTE_SIGNING": Text("远程签名", "remote signing"),
    "ROWS_STAGED": Text("读入数据行", "rows read"),
    "ROW_ISSUED": Text("数据行已签发", "row issued"),
    "ROW_REFUSED": Text("数据行被拒绝", "row refused"),
    "ROW_FAILED": Text("数据行失败", "row failed"),
    "SEAL_APPLY": Text("申请印章", "seal applied for"),
    "SEAL_APPROVE": Text("批准印章", "seal approved"),
    "SEAL_REJECT": Text("驳回印章", "seal rejected"),
    "SEAL_MAKE": Text("制作印章", "seal made"),
    "SEAL_ACTIVATE": Text("启用印章", "seal activated"),
    "SEAL_SUSPEND": Text("停用印章", "seal suspended"),
    "SEAL_RESUME": Text("恢复印章", "seal resumed"),
    "SEAL_CHANGE": Text("申请变更印章", "change of seal applied for"),
    "SEAL_RENEW": Text("更换印章密钥", "seal under a new key"),
    "SEAL_RETIRE": Text("注销印章", "seal retired"),
    "SEAL_DESTROY": Text("销毁印章", "seal destroyed"),
    "SEAL_STRUCTURE_MADE": Text("制作印章数据", "seal structure made"),
    "SEAL_PERMITTED": Text("准许用章", "seal use permitted"),
    "SEAL_PERMIT_APPROVED": Text("批准用章", "seal use approved"),
    "SEAL_PERMIT_CANCELLED": Text("撤销用章许可", "permit cancelled"),
    "SEAL_USED": Text("用章", "seal used"),
    "SERIALS_RESERVED": Text("预留证书序号", "serials reserved"),
    "SERIAL_RESERVED": Text("预留证书序号", "serial reserved"),
    "SERIAL_VOIDED": Text("证书序号作废", "serial voided"),
    "STATUS_TOOK_EFFECT": Text("状态生效", "status took effect"),
    "STATUS_PLACES_TAKEN": Text("分配状态位", "status places taken"),
    "TOKEN_CREATED": Text("建立令牌", "token created"),
    "TOKEN_REVOKED": Text("撤销令牌", "token revoked"),
    "TYPE_PUBLISHED": Text("发布证照类型", "type published"),
    "VAULT_FOUNDED": Text("建立证照库", "vault founded"),
    "WALLET_DOWNLOADED": Text("下载证照包", "wallet downloaded"),
}

GROUPS: Mapping[str, Text] = {
    "LICENSE_": Text("证照", "Licenses"),
    "NUMBER_": Text("编号", "Numbers"),
    "SEAL_": Text("印章", "Seals"),
    "SEAL_USED": Text("用章", "Uses of seals"),
    "KEY_": Text("密钥", "Keys"),
    "CERTIFICATE_": Text("证书", "Certificates"),
    "JOB_": Text("批量任务", "Bulk jobs"),
    "TOKEN_": Text("令牌", "Tokens"),
    "AUDIT_": Text("审计锚定", "Anchors"),
}
"""Beginnings of kinds that are offered as a choice."""


def kind_text(kind: str, lang: str) -> str:
    """What a kind means; "" when nobody has said so."""
    known = KINDS.get(kind)
    return "" if known is None else known.in_language(lang)
