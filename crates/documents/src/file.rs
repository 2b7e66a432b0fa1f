//! From drawing operations to a file. Equal data gives equal bytes: no clock, no randomness, and an `/ID` taken
//! from the content's own hash (ISO 32000-1, 14.4).

use crate::face::{Faces, Weight};
use crate::sheet::{HEIGHT_MM, Sheet, WIDTH_MM};
use crate::{Document, DocumentError, profile};
use domain::Timestamp;
use lopdf::{Dictionary, Object, Stream, dictionary};
use printpdf::{Mm, OffsetDateTime, PdfDocument, PdfPage, PdfSaveOptions};
use sha2::{Digest, Sha256};

/// What the file says of itself.
pub(crate) struct About<'a> {
    pub(crate) title: &'a str,
    pub(crate) author: &'a str,
    /// BCP 47.
    pub(crate) language: &'a str,
    pub(crate) created: Timestamp,
}

const PRODUCER: &str = concat!("citizen-kiosk documents ", env!("CARGO_PKG_VERSION"));

/// # Errors
/// `Moment` when the time is no date, `Tree` and `File` when the file cannot be put together.
pub(crate) fn write(sheet: Sheet, about: &About<'_>) -> Result<Document, DocumentError> {
    let moment = moment(about.created)?;
    let mut tree = lay_out(sheet);
    "1.7".clone_into(&mut tree.version);
    describe(&mut tree, about, &moment)?;
    tree.compress();
    let hash = Sha256::digest(serialise(&mut tree)?);
    let id = Object::String(hash[..16].to_vec(), lopdf::StringFormat::Hexadecimal);
    tree.trailer.set("ID", vec![id.clone(), id]);
    let mut pdf = serialise(&mut tree)?;
    // A later signature appends to the file, and its update must begin on a new line.
    pdf.push(b'\n');
    Ok(Document { pdf, pages: 1 })
}

fn lay_out(sheet: Sheet) -> lopdf::Document {
    let faces: &Faces = sheet.faces;
    let mut document = PdfDocument::new("");
    for weight in [Weight::Regular, Weight::Bold] {
        document.resources.fonts.map.insert(weight.font_id(), faces.embeddable(weight));
    }
    document.with_pages(vec![PdfPage::new(Mm(WIDTH_MM), Mm(HEIGHT_MM), sheet.into_ops())]);
    let mut tree = document.to_lopdf_document(&PdfSaveOptions::default(), &mut Vec::new());
    tree.trailer.remove(b"ID");
    tree
}

/// Replaces what printpdf says of the file, a claim of PDF/X among it, by what is true.
fn describe(tree: &mut lopdf::Document, about: &About<'_>, moment: &Moment) -> Result<(), DocumentError> {
    let info = information(about, moment);
    let info = tree.add_object(info);
    if let Ok(old) = tree.trailer.get(b"Info").and_then(Object::as_reference) {
        tree.objects.remove(&old);
    }
    tree.trailer.set("Info", info);
    let metadata = Stream::new(dictionary! { "Type" => "Metadata", "Subtype" => "XML" }, xmp(about, moment));
    // Plain, so that archives can read it without a PDF library (ISO 19005-1, 6.7.2).
    let metadata = tree.add_object(metadata.with_compression(false));
    let icc = tree.add_object(Stream::new(dictionary! { "N" => 3 }, profile::srgb()));
    let condition = Object::string_literal("sRGB IEC61966-2.1");
    let intent = dictionary! {
        "Type" => "OutputIntent", "S" => "GTS_PDFA1", "DestOutputProfile" => icc,
        "OutputConditionIdentifier" => condition.clone(), "Info" => condition,
    };
    let catalog = tree.catalog_mut()?;
    catalog.set("Lang", Object::string_literal(about.language));
    catalog.set("ViewerPreferences", dictionary! { "DisplayDocTitle" => true });
    catalog.set("Metadata", metadata);
    catalog.set("OutputIntents", vec![Object::Dictionary(intent)]);
    catalog.set("PageLayout", "SinglePage");
    Ok(())
}

fn information(about: &About<'_>, moment: &Moment) -> Dictionary {
    dictionary! {
        "Title" => lopdf::text_string(about.title), "Author" => lopdf::text_string(about.author),
        "Producer" => lopdf::text_string(PRODUCER),
        "CreationDate" => Object::string_literal(moment.pdf.as_str()),
        "ModDate" => Object::string_literal(moment.pdf.as_str()),
    }
}

/// XMP (ISO 16684-1): the same facts, for archives.
fn xmp(about: &About<'_>, moment: &Moment) -> Vec<u8> {
    let (title, author, language) = (escape(about.title), escape(about.author), escape(about.language));
    let date = &moment.xmp;
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n\
         <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n\
         <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\">\n\
         <dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{title}</rdf:li></rdf:Alt></dc:title>\n\
         <dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>\n\
         <dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>\n\
         <xmp:CreateDate>{date}</xmp:CreateDate>\n<xmp:ModifyDate>{date}</xmp:ModifyDate>\n\
         <pdf:Producer>{PRODUCER}</pdf:Producer>\n\
         </rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>"
    )
    .into_bytes()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// One moment in both notations, UTC.
struct Moment {
    pdf: String,
    xmp: String,
}

fn moment(created: Timestamp) -> Result<Moment, DocumentError> {
    let at = OffsetDateTime::from_unix_timestamp(created.0.div_euclid(1000)).map_err(|_| DocumentError::Moment)?;
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let (hour, minute, second) = (at.hour(), at.minute(), at.second());
    Ok(Moment {
        pdf: format!("D:{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z"),
        xmp: format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"),
    })
}

fn serialise(tree: &mut lopdf::Document) -> Result<Vec<u8>, DocumentError> {
    let mut bytes = Vec::new();
    tree.save_to(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moment_of_issue_is_written_in_both_notations() {
        let moment = moment(Timestamp(1_789_003_265_999)).unwrap();
        assert_eq!((moment.pdf.as_str(), moment.xmp.as_str()), ("D:20260910012105Z", "2026-09-10T01:21:05Z"));
        assert!(matches!(super::moment(Timestamp(i64::MAX)), Err(DocumentError::Moment)));
    }

    #[test]
    fn metadata_stays_well_formed_whatever_the_title() {
        assert_eq!(escape("Agua & <sal>"), "Agua &amp; &lt;sal&gt;");
    }
}
