//! Methods that connections of redis have besides their commands.

/// Methods of a wrapper that call the methods of the same name on the wrapped value.
macro_rules! forward {
    ($inner:path;) => {};
    // What multiplexed connections have beside `ConnectionLike`.
    (
        $inner:path;
        packed commands;
        $($rest:tt)*
    ) => {
        #[doc = concat!("As [`", stringify!($inner), "::send_packed_command`], recorded.")]
        ///
        /// # Errors
        /// As redis's.
        pub fn send_packed_command<'a>(
            &'a mut self,
            command: &'a redis::Cmd,
        ) -> redis::RedisFuture<'a, redis::Value> {
            redis::aio::ConnectionLike::req_packed_command(self, command)
        }

        #[doc = concat!("As [`", stringify!($inner), "::send_packed_commands`], recorded.")]
        ///
        /// # Errors
        /// As redis's.
        pub fn send_packed_commands<'a>(
            &'a mut self,
            pipeline: &'a redis::Pipeline,
            offset: usize,
            count: usize,
        ) -> redis::RedisFuture<'a, Vec<redis::Value>> {
            redis::aio::ConnectionLike::req_packed_commands(self, pipeline, offset, count)
        }

        $crate::forward::forward! { $inner; $($rest)* }
    };
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
