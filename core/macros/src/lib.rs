#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod expand;
mod function;
mod options;
mod output;

use proc_macro::TokenStream;

use self::function::Function;
use self::options::Options;

/// Puts each call of a function into a span: an SDK span that begins with the
/// call, ends with it, and is the parent of what is traced inside.
///
/// ```
/// use std::io;
///
/// struct User { id: u64 }
///
/// #[instana::trace(tags(basket, user = user.id))]
/// async fn price(basket: u64, user: &User) -> io::Result<u64> {
///     if basket == 0 {
///         // The span has this error.
///         return Err(io::ErrorKind::InvalidInput.into());
///     }
///     Ok(basket * 3)
/// }
/// ```
///
/// # Options
///
/// | option | default | meaning |
/// |---|---|---|
/// | `name = "text"` | the path of the function without its type, `shop::cart::price` | The name of the span. |
/// | `kind = entry`, `exit` or `intermediate` | `intermediate` | What the call is: the beginning of a trace, a call to something else, or work in between. |
/// | `tags(a, b = expression)` | none | What to record of the arguments: the names of arguments, and names with expressions. |
/// | `errors = false` | `true` | An `Err` that is returned is not recorded. |
/// | `crate = path` | `::instana` | Where the crate `instana` is, if it has another name. |
///
/// # What is recorded
///
/// Arguments may be secret: only those in `tags` are recorded. A tag's value is a
/// number, a `bool`, a string, or what implements `instana::span::AsTag`; for the rest
/// there is `order = order.to_string()`. The name of a tag may be a string, as in
/// `tags("user.id" = user.id)`. Expressions are evaluated before the function's body,
/// by reference, and not at all where the call is suppressed or has no trace.
///
/// An `Err` marks the span as erroneous. Its text is recorded with the texts of its
/// sources if the error is an [`Error`](std::error::Error), or lends one (boxed
/// errors, `anyhow::Error`), its text alone if it is `Display`, and no text
/// otherwise. A text that the function has set itself stays. The result is passed on
/// as it is. A panic marks the span, too, and goes on.
///
/// # Which functions
///
/// - Functions and methods, generic or not, also the methods of traits.
/// - `async` functions: the span begins when the future is polled for the first
///   time, with the context of that moment, and ends with the future. The span is
///   entered at each poll. An exit that is dropped early has the error "cancelled
///   after N ms".
/// - Functions that return `impl Future`, `Pin<Box<dyn Future>>`, `BoxFuture` or
///   `LocalBoxFuture`, as `#[async_trait]` makes them: the span begins with the call
///   and ends with the future, also where the error comes from the future. A future
///   behind another alias counts as a value: the span ends with the call.
/// - Not `const`, `unsafe` and `extern` functions: call a traced one from them.
///
/// `return`, `?` and `.await` mean what they do without the attribute. The body
/// becomes a closure or an `async` block, so `#[track_caller]` has no effect inside.
#[proc_macro_attribute]
pub fn trace(options: TokenStream, item: TokenStream) -> TokenStream {
    let item = proc_macro2::TokenStream::from(item);
    let traced = syn::parse::<Options>(options).and_then(|options| {
        let function = syn::parse2::<Function>(item.clone())?;
        expand::expand(&options, &function)
    });
    // What was written stays, so that the compiler has one thing to say.
    let tokens = traced.unwrap_or_else(|error| {
        let error = error.into_compile_error();
        quote::quote!(#item #error)
    });
    tokens.into()
}
