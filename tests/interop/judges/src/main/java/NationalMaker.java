import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.Calendar;
import java.util.Date;
import java.util.List;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.cms.CMSObjectIdentifiers;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.cert.ocsp.BasicOCSPRespBuilder;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.OCSPRespBuilder;
import org.bouncycastle.cert.ocsp.RespID;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoGeneratorBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.DigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampRequestGenerator;
import org.bouncycastle.tsp.TimeStampTokenGenerator;

/**
 * SM2 certificates, lists, answers, timestamps, CMS values and a signed PDF as BouncyCastle and PDFBox make them.
 *
 * <p>usage: NationalMaker FOLDER DOCUMENT; see the names in {@link #main}.
 */
public final class NationalMaker {
    private static final BouncyCastleProvider BC = new BouncyCastleProvider();
    private static final long DAY = 86_400_000L;
    private static final Date START = new Date(System.currentTimeMillis() / 1000 * 1000 - DAY);
    private static final ASN1ObjectIdentifier DATA = new ASN1ObjectIdentifier("1.2.156.10197.6.1.4.2.1");
    private static final ASN1ObjectIdentifier SIGNED_DATA = new ASN1ObjectIdentifier("1.2.156.10197.6.1.4.2.2");

    /** A key and its certificate. */
    private record Hand(KeyPair keys, X509Certificate certificate) {
        ContentSigner signer() throws Exception {
            return new JcaContentSignerBuilder("SM3WITHSM2").setProvider(BC).build(keys.getPrivate());
        }

        X509CertificateHolder holder() throws Exception {
            return new JcaX509CertificateHolder(certificate);
        }
    }

    private NationalMaker() {}

    public static void main(String[] args) throws Exception {
        Path folder = Path.of(args[0]);
        byte[] document = Files.readAllBytes(Path.of(args[1]));
        Hand root = hand(1, "root", null, null);
        Hand signer = hand(2, "signer", root, null);
        Hand revoked = hand(3, "revoked", root, null);
        Hand responder = hand(4, "responder", root, KeyPurposeId.id_kp_OCSPSigning);
        Hand authority = hand(5, "authority", root, KeyPurposeId.id_kp_timeStamping);
        Files.write(folder.resolve("root.der"), root.certificate.getEncoded());
        Files.write(folder.resolve("crl.der"), list(root));
        Files.write(folder.resolve("signer.ocsp"), status(root, responder, 2, CertificateStatus.GOOD));
        Files.write(folder.resolve("token.der"), token(authority, document));
        Files.write(folder.resolve("rfc5652.p7s"), cms(signer, document, CMSObjectIdentifiers.data).getEncoded());
        CMSSignedData national = cms(signer, document, DATA);
        Files.write(folder.resolve("gbt35275.p7s"),
                new ContentInfo(SIGNED_DATA, national.toASN1Structure().getContent()).getEncoded("DER"));
        Files.write(folder.resolve("signer.pdf"), pdf(signer));
        Files.write(folder.resolve("revoked.pdf"), pdf(revoked));
    }

    private static Hand hand(int serial, String name, Hand issuer, KeyPurposeId usage) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", BC);
        generator.initialize(new ECGenParameterSpec("sm2p256v1"));
        KeyPair keys = generator.generateKeyPair();
        X500Name subject = new X500Name("C=CN,CN=" + name);
        X500Name by = issuer == null ? subject : issuer.holder().getSubject();
        JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                by, BigInteger.valueOf(serial), START, new Date(START.getTime() + 400 * DAY), subject, keys.getPublic());
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(issuer == null));
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(issuer == null
                ? KeyUsage.keyCertSign | KeyUsage.cRLSign : KeyUsage.digitalSignature | KeyUsage.nonRepudiation));
        JcaX509ExtensionUtils more = new JcaX509ExtensionUtils();
        builder.addExtension(Extension.subjectKeyIdentifier, false, more.createSubjectKeyIdentifier(keys.getPublic()));
        if (issuer != null) {
            PublicKey above = issuer.keys.getPublic();
            builder.addExtension(Extension.authorityKeyIdentifier, false, more.createAuthorityKeyIdentifier(above));
        }
        if (usage != null) {
            builder.addExtension(Extension.extendedKeyUsage, true, new ExtendedKeyUsage(usage));
        }
        if (usage == KeyPurposeId.id_kp_OCSPSigning) {
            builder.addExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nocheck, false, org.bouncycastle.asn1.DERNull.INSTANCE);
        }
        Hand self = new Hand(keys, null);
        return new Hand(keys, new JcaX509CertificateConverter().setProvider(BC)
                .getCertificate(builder.build((issuer == null ? self : issuer).signer())));
    }

    private static byte[] list(Hand root) throws Exception {
        JcaX509v2CRLBuilder builder = new JcaX509v2CRLBuilder(root.certificate, START);
        builder.setNextUpdate(new Date(START.getTime() + 30 * DAY));
        builder.addCRLEntry(BigInteger.valueOf(3), START, CRLReason.keyCompromise);
        builder.addExtension(Extension.authorityKeyIdentifier, false,
                new JcaX509ExtensionUtils().createAuthorityKeyIdentifier(root.certificate));
        return builder.build(root.signer()).getEncoded();
    }

    private static byte[] status(Hand root, Hand responder, int serial, CertificateStatus status) throws Exception {
        DigestCalculatorProvider digests = new JcaDigestCalculatorProviderBuilder().setProvider(BC).build();
        AlgorithmIdentifier sm3 = new AlgorithmIdentifier(GMObjectIdentifiers.sm3);
        CertificateID asked = new CertificateID(digests.get(sm3), root.holder(), BigInteger.valueOf(serial));
        Date now = new Date();
        BasicOCSPRespBuilder builder = new BasicOCSPRespBuilder(new RespID(responder.holder().getSubject()));
        builder.addResponse(asked, status, now, new Date(now.getTime() + DAY), null);
        return new OCSPRespBuilder().build(OCSPRespBuilder.SUCCESSFUL, builder.build(
                responder.signer(), new X509CertificateHolder[] {responder.holder()}, now)).getEncoded();
    }

    private static byte[] token(Hand authority, byte[] document) throws Exception {
        DigestCalculatorProvider digests = new JcaDigestCalculatorProviderBuilder().setProvider(BC).build();
        TimeStampTokenGenerator generator = new TimeStampTokenGenerator(
                new JcaSimpleSignerInfoGeneratorBuilder().setProvider(BC)
                        .build("SM3WITHSM2", authority.keys.getPrivate(), authority.certificate),
                digests.get(new AlgorithmIdentifier(GMObjectIdentifiers.sm3)),
                new ASN1ObjectIdentifier("1.2.3.4"));
        generator.addCertificates(new JcaCertStore(List.of(authority.certificate)));
        byte[] digest = MessageDigest.getInstance("SM3", BC).digest(document);
        TimeStampRequestGenerator asking = new TimeStampRequestGenerator();
        asking.setCertReq(true);
        TimeStampRequest request = asking.generate(GMObjectIdentifiers.sm3, digest);
        return generator.generate(request, BigInteger.ONE, new Date()).getEncoded();
    }

    private static CMSSignedData cms(Hand signer, byte[] content, ASN1ObjectIdentifier type) throws Exception {
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        generator.addSignerInfoGenerator(
                new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().setProvider(BC).build())
                        .build(signer.signer(), signer.certificate));
        generator.addCertificates(new JcaCertStore(List.of(signer.certificate)));
        return generator.generate(new CMSProcessableByteArray(type, content), false);
    }

    private static byte[] pdf(Hand signer) throws Exception {
        try (PDDocument document = new PDDocument()) {
            document.addPage(new PDPage());
            ByteArrayOutputStream plain = new ByteArrayOutputStream();
            document.save(plain);
            return signed(org.apache.pdfbox.Loader.loadPDF(plain.toByteArray()), signer);
        }
    }

    private static byte[] signed(PDDocument document, Hand signer) throws IOException {
        try (document) {
            PDSignature signature = new PDSignature();
            signature.setFilter(PDSignature.FILTER_ADOBE_PPKLITE);
            signature.setSubFilter(PDSignature.SUBFILTER_ADBE_PKCS7_DETACHED);
            signature.setSignDate(Calendar.getInstance());
            document.addSignature(signature, content -> sign(content, signer));
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            document.saveIncremental(out);
            return out.toByteArray();
        }
    }

    private static byte[] sign(InputStream content, Hand signer) throws IOException {
        try {
            return cms(signer, content.readAllBytes(), CMSObjectIdentifiers.data).getEncoded();
        } catch (Exception error) {
            throw new IOException(error);
        }
    }
}
