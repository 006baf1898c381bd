import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Signature;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.jcajce.provider.asymmetric.x509.CertificateFactory;
import org.bouncycastle.jcajce.provider.digest.SM3;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.ofdrw.core.signatures.SigType;
import org.ofdrw.gm.ses.parse.SESVersion;
import org.ofdrw.gm.ses.parse.SESVersionHolder;
import org.ofdrw.gm.ses.parse.VersionParser;
import org.ofdrw.gm.ses.v1.SES_ESPictrueInfo;
import org.ofdrw.gm.ses.v4.CertDigestObj;
import org.ofdrw.gm.ses.v4.SES_CertList;
import org.ofdrw.gm.ses.v4.SES_ESPropertyInfo;
import org.ofdrw.gm.ses.v4.SES_SealInfo;
import org.ofdrw.gm.ses.v4.SES_Signature;
import org.ofdrw.gm.ses.v4.SESeal;
import org.ofdrw.sign.verify.container.GBT35275ValidateContainer;
import org.ofdrw.sign.verify.container.SESV1ValidateContainer;
import org.ofdrw.sign.verify.container.SESV4ValidateContainer;

/**
 * Judges seals, seal signatures and GB/T 35275 values with ofdrw's structures and validators.
 *
 * <p>usage: SealJudge (KIND FILE DATA)...; KIND is {@code seal} (DATA is {@code -}), {@code signature} or {@code cms};
 * prints one JSON object per file.
 */
public final class SealJudge {
    private static final BouncyCastleProvider BC = new BouncyCastleProvider();

    private SealJudge() {}

    public static void main(String[] args) {
        for (int next = 0; next + 2 < args.length; next += 3) {
            Map<String, Object> answer = new LinkedHashMap<>();
            try {
                byte[] value = Files.readAllBytes(Path.of(args[next + 1]));
                byte[] data = args[next + 2].equals("-") ? null : Files.readAllBytes(Path.of(args[next + 2]));
                switch (args[next]) {
                    case "seal" -> seal(value, answer);
                    case "signature" -> signature(value, data, answer);
                    default -> cms(value, data, answer);
                }
            } catch (Exception error) {
                answer.put("error", error.toString());
            }
            System.out.println(Json.of(answer));
        }
    }

    private static void seal(byte[] value, Map<String, Object> answer) throws Exception {
        SESVersionHolder holder = VersionParser.parseSES_SealVersion(value);
        answer.put("version", holder.getVersion().getVersion());
        if (holder.getVersion() == SESVersion.v1) {
            old(holder.getInstanceV1Seal(), answer);
            answer.put("same_bytes", Arrays.equals(holder.getInstanceV1Seal().getEncoded("DER"), value));
            return;
        }
        SESeal seal = SESeal.getInstance(value);
        current(seal, answer);
        answer.put("same_bytes", Arrays.equals(seal.getEncoded("DER"), value));
    }

    private static void old(org.ofdrw.gm.ses.v1.SESeal seal, Map<String, Object> answer) throws Exception {
        ASN1EncodableVector covered = new ASN1EncodableVector(3);
        covered.add(seal.getEsealInfo());
        covered.add(seal.getSignInfo().getCert());
        covered.add(seal.getSignInfo().getSignatureAlgorithm());
        answer.put("id", seal.getEsealInfo().getEsID().getString());
        answer.put("name", seal.getEsealInfo().getProperty().getName().getString());
        answer.put("seal_good", good(
                new DERSequence(covered).getEncoded("DER"),
                seal.getSignInfo().getSignData().getOctets(),
                seal.getSignInfo().getSignatureAlgorithm().getId(),
                seal.getSignInfo().getCert()));
    }

    private static void current(SESeal seal, Map<String, Object> answer) throws Exception {
        SES_SealInfo info = seal.geteSealInfo();
        SES_ESPropertyInfo property = info.getProperty();
        SES_ESPictrueInfo picture = info.getPicture();
        answer.put("stated_version", info.getHeader().getVersion().getValue());
        answer.put("vendor", info.getHeader().getVid().getString());
        answer.put("id", info.getEsID().getString());
        answer.put("name", property.getName().getString());
        answer.put("type", property.getType().getValue());
        answer.put("list_type", property.getCertListType().getValue());
        answer.put("created", property.getCreateDate().getTime());
        answer.put("valid_from", property.getValidStart().getTime());
        answer.put("valid_to", property.getValidEnd().getTime());
        answer.put("picture", picture.getType().getString());
        answer.put("picture_bytes", picture.getData().getOctets().length);
        answer.put("width", picture.getWidth().getValue());
        answer.put("height", picture.getHeight().getValue());
        answer.put("algorithm", seal.getSignAlgID().getId());
        answer.put("seal_good", good(
                info.getEncoded("DER"), seal.getSignedValue().getOctets(), seal.getSignAlgID().getId(), seal.getCert()));
    }

    private static void signature(byte[] value, byte[] data, Map<String, Object> answer) throws Exception {
        SESVersionHolder holder = VersionParser.parseSES_SignatureVersion(value);
        boolean first = holder.getVersion() == SESVersion.v1;
        answer.put("version", holder.getVersion().getVersion());
        if (first) {
            old(holder.getInstanceV1().getToSign().getEseal(), answer);
        } else {
            SES_Signature signature = SES_Signature.getInstance(value);
            current(signature.getToSign().getEseal(), answer);
            answer.put("time", signature.getToSign().getTimeInfo().getTime());
            answer.put("property", signature.getToSign().getPropertyInfo().getString());
            answer.put("listed", listed(signature));
            answer.put("stamped", signature.getTimeStamp() != null);
            answer.put("same_bytes", Arrays.equals(signature.getEncoded("DER"), value));
        }
        try {
            if (first) {
                new SESV1ValidateContainer().validate(SigType.Seal, null, data, value);
            } else {
                new SESV4ValidateContainer().validate(SigType.Seal, null, data, value);
            }
            answer.put("good", true);
        } catch (Exception error) {
            answer.put("good", false);
            answer.put("why", error.toString());
        }
    }

    private static boolean listed(SES_Signature signature) {
        SES_CertList list = signature.getToSign().getEseal().geteSealInfo().getProperty().getCertList();
        byte[] signer = signature.getCert().getOctets();
        List<byte[]> entries = new ArrayList<>();
        if (list.getCerts() != null) {
            list.getCerts().forEach(entry -> entries.add(entry.getOctets()));
            return entries.stream().anyMatch(entry -> Arrays.equals(entry, signer));
        }
        byte[] digest = new SM3.Digest().digest(signer);
        for (CertDigestObj entry : list.getCertDigestList()) {
            entries.add(entry.getValue().getOctets());
        }
        return entries.stream().anyMatch(entry -> Arrays.equals(entry, digest));
    }

    private static void cms(byte[] value, byte[] data, Map<String, Object> answer) {
        try {
            new GBT35275ValidateContainer().validate(SigType.Sign, "1.2.156.10197.1.501", data, value);
            answer.put("good", true);
        } catch (Exception error) {
            answer.put("good", false);
            answer.put("why", error.toString());
        }
    }

    private static boolean good(byte[] covered, byte[] value, String algorithm, ASN1OctetString maker)
            throws Exception {
        Certificate certificate =
                new CertificateFactory().engineGenerateCertificate(new ByteArrayInputStream(maker.getOctets()));
        Signature check = Signature.getInstance(algorithm, BC);
        check.initVerify(certificate.getPublicKey());
        check.update(covered);
        try {
            return check.verify(value);
        } catch (java.security.SignatureException error) {
            return false;
        }
    }
}
