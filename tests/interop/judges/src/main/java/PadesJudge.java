import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.simplereport.jaxb.XmlTimestamp;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.File;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Judges each PDF with EU DSS, its default policy, the given roots as the only trust and no network.
 *
 * <p>usage: PadesJudge [--at INSTANT] [--full] ROOT.pem[,ROOT.pem...] FILE...; prints one JSON object per line.
 */
public final class PadesJudge {
    private PadesJudge() {}

    public static void main(String[] args) {
        Date at = null;
        boolean full = false;
        int next = 0;
        while (args[next].startsWith("--")) {
            if (args[next].equals("--at")) {
                at = Date.from(Instant.parse(args[++next]));
            } else {
                full = true;
            }
            next++;
        }
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        for (String root : args[next++].split(",")) {
            trusted.addCertificate(DSSUtils.loadCertificate(new File(root)));
        }
        for (; next < args.length; next++) {
            System.out.println(Json.of(judge(args[next], trusted, at, full)));
        }
    }

    private static Map<String, Object> judge(
            String file, CommonTrustedCertificateSource trusted, Date at, boolean full) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("file", file);
        List<Object> signatures = new ArrayList<>();
        answer.put("signatures", signatures);
        try {
            DSSDocument document = new FileDocument(file);
            SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(document);
            CommonCertificateVerifier verifier = new CommonCertificateVerifier();
            verifier.setTrustedCertSources(trusted);
            verifier.setAIASource(null);
            validator.setCertificateVerifier(verifier);
            if (at != null) {
                validator.setValidationTime(at);
            }
            Reports reports = validator.validateDocument();
            SimpleReport report = reports.getSimpleReport();
            for (String id : report.getSignatureIdList()) {
                signatures.add(signature(report, id));
            }
            if (full) {
                answer.put("detailed", reports.getXmlDetailedReport());
                answer.put("diagnostic", reports.getXmlDiagnosticData());
            }
        } catch (Exception error) {
            answer.put("error", error.toString());
        }
        return answer;
    }

    static Map<String, Object> signature(SimpleReport report, String id) {
        Map<String, Object> one = new LinkedHashMap<>();
        one.put("indication", report.getIndication(id));
        one.put("sub_indication", report.getSubIndication(id));
        one.put("format", report.getSignatureFormat(id));
        one.put("signed_by", report.getSignedBy(id));
        one.put("best_signature_time", report.getBestSignatureTime(id).toInstant());
        List<String> errors = new ArrayList<>();
        report.getAdESValidationErrors(id).forEach(message -> errors.add(message.getValue()));
        one.put("errors", errors);
        List<String> warnings = new ArrayList<>();
        report.getAdESValidationWarnings(id).forEach(message -> warnings.add(message.getValue()));
        one.put("warnings", warnings);
        List<Object> stamps = new ArrayList<>();
        for (XmlTimestamp stamp : report.getSignatureTimestamps(id)) {
            Map<String, Object> item = new LinkedHashMap<>();
            item.put("indication", stamp.getIndication());
            item.put("sub_indication", stamp.getSubIndication());
            item.put("produced_by", stamp.getProducedBy());
            stamps.add(item);
        }
        one.put("timestamps", stamps);
        return one;
    }
}
