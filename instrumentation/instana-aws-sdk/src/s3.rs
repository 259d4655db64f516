//! S3: buckets and objects.

use aws_sdk_s3::operation as op;
use aws_smithy_runtime_api::client::interceptors::context::Input;
use instana::Span;
use instana::span::{Family, Kind};

use crate::service::{Service, camel_case};

instana::section! {
    /// `data.s3`: a call to S3 (as in Go).
    struct Data = "s3" {
        /// The operation.
        op: text(64),
        /// The bucket.
        bucket: text(256),
        /// The key of the object; of a list, what keys begin with.
        key: text(1_024),
        /// The region of the client.
        region: text(32),
        /// What went wrong.
        error: error(200),
    }
}

static EXIT: Family = Family::new("s3", Kind::Exit, Data::SECTION, "databases");

/// S3, as the SDK knows it.
#[derive(Debug)]
pub(crate) struct S3;

impl Service for S3 {
    fn name(&self) -> &'static str {
        "S3"
    }

    fn family(&self, _: &Input) -> Option<&'static Family> {
        Some(&EXIT)
    }

    fn describe(&self, span: &mut Span, operation: &str, region: Option<&str>, input: &Input) {
        Data::record(span, |s3| {
            match word(operation) {
                Some(op) => s3.op(op),
                None => s3.op(&camel_case(operation)),
            };
            let (bucket, key) = place(input);
            if let Some(bucket) = bucket {
                s3.bucket(bucket);
            }
            if let Some(key) = key {
                s3.key(key);
            }
            if let Some(region) = region {
                s3.region(region);
            }
        });
    }

    /// HEAD asks whether an object exists, and "not modified" is the expected answer to a
    /// condition, so neither is an error.
    fn expects(&self, operation: &str, status: Option<u16>) -> bool {
        match status {
            Some(404) => matches!(operation, "HeadObject" | "HeadBucket"),
            Some(304) => true,
            _ => false,
        }
    }
}

/// Go's words, also for similar operations. All others have the name of the operation:
/// `putObjectAcl`, and so do operations on buckets (`createBucket`).
fn word(operation: &str) -> Option<&'static str> {
    Some(match operation {
        "ListBuckets"
        | "ListDirectoryBuckets"
        | "ListObjects"
        | "ListObjectsV2"
        | "ListObjectVersions" => "list",
        "HeadObject" | "HeadBucket" => "metadata",
        "GetObject" => "get",
        "PutObject" => "put",
        "CopyObject" => "copy",
        "DeleteObject" | "DeleteObjects" => "delete",
        _ => return None,
    })
}

/// The bucket and the key of a call. Calls about settings of buckets have only the name
/// of the operation.
fn place(input: &Input) -> (Option<&str>, Option<&str>) {
    macro_rules! first {
        ($($module:ident $type:ident $($key:ident)?;)*) => {
            $(if let Some(input) = input.downcast_ref::<op::$module::$type>() {
                return (input.bucket(), None$(.or(input.$key()))?);
            })*
        };
    }
    first! {
        get_object GetObjectInput key;
        put_object PutObjectInput key;
        head_object HeadObjectInput key;
        delete_object DeleteObjectInput key;
        list_objects_v2 ListObjectsV2Input prefix;
        copy_object CopyObjectInput key;
        delete_objects DeleteObjectsInput;
        upload_part UploadPartInput key;
        create_multipart_upload CreateMultipartUploadInput key;
        complete_multipart_upload CompleteMultipartUploadInput key;
        abort_multipart_upload AbortMultipartUploadInput key;
        upload_part_copy UploadPartCopyInput key;
        list_parts ListPartsInput key;
        list_multipart_uploads ListMultipartUploadsInput prefix;
        list_objects ListObjectsInput prefix;
        list_object_versions ListObjectVersionsInput prefix;
        create_bucket CreateBucketInput;
        delete_bucket DeleteBucketInput;
        head_bucket HeadBucketInput;
        get_bucket_location GetBucketLocationInput;
        get_object_attributes GetObjectAttributesInput key;
        get_object_tagging GetObjectTaggingInput key;
        put_object_tagging PutObjectTaggingInput key;
        delete_object_tagging DeleteObjectTaggingInput key;
        get_object_acl GetObjectAclInput key;
        put_object_acl PutObjectAclInput key;
        rename_object RenameObjectInput key;
        restore_object RestoreObjectInput key;
        select_object_content SelectObjectContentInput key;
    }
    (None, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_no_error() {
        assert!(S3.expects("HeadObject", Some(404)));
        assert!(S3.expects("GetObject", Some(304)));
        assert!(!S3.expects("GetObject", Some(404)));
        assert!(!S3.expects("HeadObject", Some(403)));
        assert!(!S3.expects("HeadObject", None));
    }
}
