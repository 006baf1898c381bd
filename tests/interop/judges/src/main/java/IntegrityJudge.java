import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.PDFRevisionWrapper;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.enumerations.Indication;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What EU DSS says about whether foreign PDFs are what was signed: its default policy, no trust, no network.
 *
 * <p>usage: IntegrityJudge FILE...; prints one JSON object per line: {@code signatures} and {@code timestamps} with {@code
 * intact}, {@code failed} (TOTAL_FAILED, with its reason) and what the revision behind shows, or {@code error}.
 */
public final class IntegrityJudge {
    private IntegrityJudge() {}

    public static void main(String[] files) {
        for (String file : files) {
            System.out.println(Json.of(judge(file)));
        }
    }

    private static Map<String, Object> judge(String file) {
        Map<String, Object> answer = new LinkedHashMap<>();
        answer.put("file", file);
        try {
            DSSDocument document = new FileDocument(file);
            SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(document);
            CommonCertificateVerifier verifier = new CommonCertificateVerifier();
            verifier.setAIASource(null);
            validator.setCertificateVerifier(verifier);
            Reports reports = validator.validateDocument();
            DiagnosticData data = reports.getDiagnosticData();
            List<Object> signatures = new ArrayList<>();
            for (SignatureWrapper one : data.getSignatures()) {
                signatures.add(signature(one, reports.getSimpleReport()));
            }
            List<Object> stamps = new ArrayList<>();
            for (TimestampWrapper one : data.getTimestampList()) {
                if (one.getPDFRevision() != null) {
                    Map<String, Object> stamp = new LinkedHashMap<>();
                    stamp.put("intact", one.isSignatureValid() && one.isMessageImprintDataIntact());
                    revision(one.getPDFRevision(), stamp);
                    stamps.add(stamp);
                }
            }
            answer.put("signatures", signatures);
            answer.put("timestamps", stamps);
        } catch (Throwable error) {
            answer.put("error", String.valueOf(error));
        }
        return answer;
    }

    private static Map<String, Object> signature(SignatureWrapper one, SimpleReport report) {
        Map<String, Object> found = new LinkedHashMap<>();
        found.put("intact", one.isSignatureIntact() && one.isSignatureValid());
        found.put("failed", report.getIndication(one.getId()) == Indication.TOTAL_FAILED);
        found.put("sub_indication", report.getSubIndication(one.getId()));
        if (one.getPDFRevision() != null) {
            revision(one.getPDFRevision(), found);
        }
        return found;
    }

    private static void revision(PDFRevisionWrapper revision, Map<String, Object> found) {
        found.put("undefined_changes", !revision.getPdfUndefinedChanges().isEmpty());
        found.put("form_changes", !revision.getPdfSignatureOrFormFillChanges().isEmpty());
        found.put("annotation_changes", !revision.getPdfAnnotationChanges().isEmpty());
        found.put("visual_difference", !revision.getPdfVisualDifferenceConcernedPages().isEmpty());
        found.put("pages_differ", !revision.getPdfPageDifferenceConcernedPages().isEmpty());
        found.put("byte_range_valid", revision.isSignatureByteRangeValid());
    }
}
