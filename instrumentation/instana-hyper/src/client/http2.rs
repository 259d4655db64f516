//! Connections of HTTP/2.

super::send_request::send_request!(http2);

impl<B> Clone for SendRequest<B> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            origin: self.origin.clone(),
        }
    }
}
