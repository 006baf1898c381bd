import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.cert.X509CRLHolder;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.ocsp.BasicOCSPResp;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.OCSPResp;
import org.bouncycastle.cert.ocsp.RevokedStatus;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.DefaultCMSSignatureAlgorithmNameGenerator;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.SignerInformationVerifier;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentVerifierProvider;
import org.bouncycastle.operator.DefaultSignatureAlgorithmIdentifierFinder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.TimeStampToken;

/**
 * Judges whole structures that are signed with SM2, with BouncyCastle alone.
 *
 * <p>usage: NationalJudge (KIND FILE ABOUT)...; KIND and ABOUT are {@code certificate}, {@code crl} or {@code ocsp} and
 * the issuer's certificate, or {@code cms} or {@code token} and the data; prints one JSON object per file.
 */
public final class NationalJudge {
    private static final BouncyCastleProvider BC = new BouncyCastleProvider();

    private NationalJudge() {}

    public static void main(String[] args) {
        for (int next = 0; next + 2 < args.length; next += 3) {
            Map<String, Object> answer = new LinkedHashMap<>();
            try {
                byte[] value = Files.readAllBytes(Path.of(args[next + 1]));
                byte[] about = Files.readAllBytes(Path.of(args[next + 2]));
                switch (args[next]) {
                    case "certificate" -> certificate(value, about, answer);
                    case "crl" -> list(value, about, answer);
                    case "ocsp" -> status(value, about, answer);
                    case "cms" -> cms(value, about, answer);
                    default -> token(value, about, answer);
                }
            } catch (Exception error) {
                answer.put("good", false);
                answer.put("why", error.toString());
            }
            System.out.println(Json.of(answer));
        }
    }

    private static ContentVerifierProvider of(X509CertificateHolder signer) throws Exception {
        return new JcaContentVerifierProviderBuilder().setProvider(BC).build(signer);
    }

    private static void certificate(byte[] value, byte[] issuer, Map<String, Object> answer) throws Exception {
        X509CertificateHolder certificate = new X509CertificateHolder(value);
        answer.put("subject", certificate.getSubject());
        answer.put("algorithm", certificate.getSignatureAlgorithm().getAlgorithm().getId());
        answer.put("same_bytes", Arrays.equals(certificate.toASN1Structure().getEncoded("DER"), value));
        answer.put("good", certificate.isSignatureValid(of(new X509CertificateHolder(issuer))));
        JcaX509CertificateConverter converter = new JcaX509CertificateConverter().setProvider(BC);
        X509Certificate anchor = converter.getCertificate(new X509CertificateHolder(issuer));
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(anchor, null)));
        parameters.setRevocationEnabled(false);
        parameters.setDate(new Date(certificate.getNotBefore().getTime() + 1000));
        CertPathValidator.getInstance("PKIX", BC).validate(
                CertificateFactory.getInstance("X.509", BC).generateCertPath(
                        List.of(converter.getCertificate(certificate))),
                parameters);
        answer.put("path", true);
    }

    private static void list(byte[] value, byte[] issuer, Map<String, Object> answer) throws Exception {
        X509CRLHolder crl = new X509CRLHolder(value);
        answer.put("revoked", crl.getRevokedCertificates().size());
        answer.put("same_bytes", Arrays.equals(crl.toASN1Structure().getEncoded("DER"), value));
        answer.put("good", crl.isSignatureValid(of(new X509CertificateHolder(issuer))));
    }

    private static void status(byte[] value, byte[] issuer, Map<String, Object> answer) throws Exception {
        BasicOCSPResp response = (BasicOCSPResp) new OCSPResp(value).getResponseObject();
        X509CertificateHolder responder = response.getCerts()[0];
        CertificateStatus status = response.getResponses()[0].getCertStatus();
        answer.put("status", status == CertificateStatus.GOOD ? "good" : status instanceof RevokedStatus ? "revoked" : "?");
        answer.put("good", response.isSignatureValid(of(responder))
                && responder.isSignatureValid(of(new X509CertificateHolder(issuer))));
    }

    private static void cms(byte[] value, byte[] data, Map<String, Object> answer) throws Exception {
        // the outer name is of RFC 5652 or of GB/T 35275; the library reads the same structure below either
        ContentInfo info = ContentInfo.getInstance(value);
        answer.put("type", info.getContentType().getId());
        CMSSignedData signed = new CMSSignedData(new CMSProcessableByteArray(data), info);
        SignerInformation signer = signed.getSignerInfos().getSigners().iterator().next();
        answer.put("algorithm", signer.getEncryptionAlgOID());
        answer.put("digest", signer.getDigestAlgOID());
        answer.put("good", signer.verify(new SignerInformationVerifier(
                new NationalNames(),
                new DefaultSignatureAlgorithmIdentifierFinder(),
                of(signer(signed, signer)),
                new JcaDigestCalculatorProviderBuilder().setProvider(BC).build())));
    }

    /** GB/T 35275 names SM2 by the key's algorithm; the library knows the signature's name alone. */
    private static final class NationalNames extends DefaultCMSSignatureAlgorithmNameGenerator {
        NationalNames() {
            setSigningEncryptionAlgorithmMapping(GMObjectIdentifiers.sm2sign, "SM2");
        }
    }

    private static X509CertificateHolder signer(CMSSignedData signed, SignerInformation signer) {
        @SuppressWarnings("unchecked")
        var found = signed.getCertificates().getMatches(signer.getSID());
        return (X509CertificateHolder) found.iterator().next();
    }

    private static void token(byte[] value, byte[] data, Map<String, Object> answer) throws Exception {
        CMSSignedData signed = new CMSSignedData(value);
        TimeStampToken token = new TimeStampToken(signed);
        answer.put("time", token.getTimeStampInfo().getGenTime().toInstant());
        answer.put("digest", token.getTimeStampInfo().getMessageImprintAlgOID().getId());
        SignerInformation signer = signed.getSignerInfos().getSigners().iterator().next();
        token.validate(new JcaSimpleSignerInfoVerifierBuilder().setProvider(BC).build(signer(signed, signer)));
        MessageDigest digest = MessageDigest.getInstance(token.getTimeStampInfo().getMessageImprintAlgOID().getId(), BC);
        answer.put("good", Arrays.equals(digest.digest(data), token.getTimeStampInfo().getMessageImprintDigest()));
    }
}
