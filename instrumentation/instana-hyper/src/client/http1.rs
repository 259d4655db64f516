//! Connections of HTTP/1.

super::send_request::send_request!(http1);
