//! The macro that declares a section and makes its setters.

/// Declares a section of `data` and its setters.
///
/// Each field has a shape: `text`, `message`, `query`, `url`, `path`, `dsn`, `error`
/// and `list` take the limit in bytes, `statement` (`mysql`, `postgres` and `sqlite` where the
/// language is known) in characters; `integer`, `float`, `boolean` take none;
/// `headers` takes the limit of one value, `lists` the limit of one string, at most 255.
/// `= "key"` gives a field another key than its name.
///
/// It makes a type with a `record` function, whose closure is run only where
/// the span is recorded, and one setter a field; setting a field again replaces
/// its value. See [`Family`](crate::record::Family) for an example.
#[macro_export]
macro_rules! section {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident = $key:literal {
            $(
                $(#[$field_meta:meta])*
                $field:ident $(= $json:literal)? : $shape:ident $(($limit:expr))?
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug)]
        $vis struct $name<'a> {
            fields: $crate::span::Fields<'a>,
        }

        const _: () = {
            #[expect(non_camel_case_types, reason = "variants are named like the fields they number")]
            enum Index {
                $($field),*
            }

            // The fields without a setter are numbered too.
            const _: &[u8] = &[$(Index::$field as u8),*];

            static SECTION: $crate::span::Section = $crate::span::Section::new(
                $key,
                &[$($crate::__field!($field $(= $json)?, $shape $(($limit))?)),*],
            );

            impl $name<'_> {
                /// The declaration: key and fields.
                $vis const SECTION: &'static $crate::span::Section = &SECTION;

                /// Calls `set` with the setters of this section, if the span is recorded.
                #[inline]
                $vis fn record(span: &mut impl $crate::span::Recording, set: impl FnOnce(&mut $name<'_>)) {
                    span.with_fields(&SECTION, |fields| set(&mut $name { fields }));
                }

                $($crate::__setter! {
                    $(#[$field_meta])*
                    $vis $field, Index::$field as u8, $shape $(($limit))?
                })*
            }
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __field {
    ($field:ident, $($rest:tt)*) => { $crate::__field!(@ stringify!($field), $($rest)*) };
    ($field:ident = $json:literal, $($rest:tt)*) => { $crate::__field!(@ $json, $($rest)*) };
    (@ $key:expr, text($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Text, $limit) };
    (@ $key:expr, query($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Query, $limit) };
    (@ $key:expr, url($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Url, $limit) };
    (@ $key:expr, path($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Path, $limit) };
    (@ $key:expr, dsn($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Dsn, $limit) };
    (@ $key:expr, error($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Error, $limit) };
    (@ $key:expr, message($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Message, $limit) };
    (@ $key:expr, statement($limit:expr)) => { $crate::__field!(@ $key, Generic, $limit) };
    (@ $key:expr, mysql($limit:expr)) => { $crate::__field!(@ $key, MySql, $limit) };
    (@ $key:expr, postgres($limit:expr)) => { $crate::__field!(@ $key, Postgres, $limit) };
    (@ $key:expr, sqlite($limit:expr)) => { $crate::__field!(@ $key, Sqlite, $limit) };
    (@ $key:expr, $dialect:ident, $limit:expr) => {
        $crate::span::Field::new($key, $crate::span::Shape::Statement($crate::span::sql::Dialect::$dialect), $limit)
    };
    (@ $key:expr, list($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::List, $limit) };
    (@ $key:expr, lists($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Lists, $limit) };
    (@ $key:expr, headers($limit:expr)) => { $crate::span::Field::new($key, $crate::span::Shape::Headers, $limit) };
    (@ $key:expr, integer) => { $crate::span::Field::new($key, $crate::span::Shape::Integer, 8) };
    (@ $key:expr, float) => { $crate::span::Field::new($key, $crate::span::Shape::Float, 8) };
    (@ $key:expr, boolean) => { $crate::span::Field::new($key, $crate::span::Shape::Boolean, 1) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __setter {
    // The text of an error is set by `Span::error`, which also counts it.
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, error($limit:expr)) => {};
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, integer) => {
        $(#[$meta])*
        #[inline]
        $vis fn $field(&mut self, value: i64) -> &mut Self {
            self.fields.bytes($index, &value.to_ne_bytes());
            self
        }
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, float) => {
        $(#[$meta])*
        #[inline]
        $vis fn $field(&mut self, value: f64) -> &mut Self {
            self.fields.bytes($index, &value.to_ne_bytes());
            self
        }
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, boolean) => {
        $(#[$meta])*
        #[inline]
        $vis fn $field(&mut self, value: bool) -> &mut Self {
            self.fields.bytes($index, &[u8::from(value)]);
            self
        }
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, headers($limit:expr)) => {
        $(#[$meta])*
        ///
        /// May be called several times: each name is kept, with its last value.
        #[inline]
        $vis fn $field(&mut self, name: &str, value: &str) -> &mut Self {
            self.fields.pair($index, name, value, $limit);
            self
        }
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, lists($limit:expr)) => {
        $(#[$meta])*
        ///
        /// May be called several times: each name is kept, with its last list.
        $vis fn $field<'s>(
            &mut self,
            name: &str,
            items: impl ::core::iter::IntoIterator<Item = &'s str, IntoIter: ::core::clone::Clone>,
        ) -> &mut Self {
            self.fields.named_list($index, name, items, $limit);
            self
        }
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, text($limit:expr)) => {
        $crate::__setter!(@ text, $(#[$meta])* $vis $field, $index, $limit);
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, list($limit:expr)) => {
        $crate::__setter!(@ text, $(#[$meta])* $vis $field, $index, $limit);
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, statement($limit:expr)) => {
        $crate::__setter!(@ statement, $(#[$meta])* $vis $field, $index, $limit);
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, mysql($limit:expr)) => {
        $crate::__setter!(@ statement, $(#[$meta])* $vis $field, $index, $limit);
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, postgres($limit:expr)) => {
        $crate::__setter!(@ statement, $(#[$meta])* $vis $field, $index, $limit);
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, sqlite($limit:expr)) => {
        $crate::__setter!(@ statement, $(#[$meta])* $vis $field, $index, $limit);
    };
    ($(#[$meta:meta])* $vis:vis $field:ident, $index:expr, $redacted:ident($limit:expr)) => {
        $crate::__setter!(@ redacted, $(#[$meta])* $vis $field, $index, $limit);
    };
    (@ $set:ident, $(#[$meta:meta])* $vis:vis $field:ident, $index:expr, $limit:expr) => {
        $(#[$meta])*
        #[inline]
        $vis fn $field(&mut self, value: &str) -> &mut Self {
            self.fields.$set($index, value, $limit);
            self
        }
    };
}
