//! Methods that connections of redis have besides their commands.

/// Methods of a wrapper that call those of the same name of what it wraps.
macro_rules! forward {
    ($inner:path;) => {};
    (
        $inner:path;
        fn $name:ident(&mut $this:ident $(, $arg:ident: $type:ty)*) $(-> $result:ty)?;
        $($rest:tt)*
    ) => {
        #[doc = concat!("As [`", stringify!($inner), "::", stringify!($name), "`].")]
        pub fn $name(&mut $this $(, $arg: $type)*) $(-> $result)? {
            $this.inner.$name($($arg),*)
        }
        $crate::forward::forward! { $inner; $($rest)* }
    };
    (
        $inner:path;
        fn $name:ident(&$this:ident $(, $arg:ident: $type:ty)*) $(-> $result:ty)?;
        $($rest:tt)*
    ) => {
        #[doc = concat!("As [`", stringify!($inner), "::", stringify!($name), "`].")]
        pub fn $name(&$this $(, $arg: $type)*) $(-> $result)? {
            $this.inner.$name($($arg),*)
        }
        $crate::forward::forward! { $inner; $($rest)* }
    };
    (
        $inner:path;
        async fn $name:ident(&mut $this:ident $(, $arg:ident: $type:ty)*) -> $result:ty;
        $($rest:tt)*
    ) => {
        #[doc = concat!("As [`", stringify!($inner), "::", stringify!($name), "`].")]
        pub async fn $name(&mut $this $(, $arg: $type)*) -> $result {
            $this.inner.$name($($arg),*).await
        }
        $crate::forward::forward! { $inner; $($rest)* }
    };
}
pub(crate) use forward;
