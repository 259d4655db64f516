//! The traced function.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Error, Ident, LitStr, Result, Type};

use crate::function::Function;
use crate::options::{Options, Tag};
use crate::output::{self, Output};

/// The function with its body inside a span. Variables have the hygiene of
/// `macro_rules`: the body does not see them.
pub(crate) fn expand(options: &Options, function: &Function) -> Result<TokenStream> {
    let Function {
        attributes,
        visibility,
        signature,
        inner_attributes,
        ..
    } = function;
    let start = start(options, function)?;
    let run = run(options, function);
    let mut block = TokenStream::new();
    function.brace.surround(&mut block, |tokens| {
        tokens.extend(quote!(#(#inner_attributes)* #start #run));
    });
    Ok(quote!(#(#attributes)* #visibility #signature #block))
}

/// Starts the span and tags it.
fn start(options: &Options, function: &Function) -> Result<TokenStream> {
    let site = Span::mixed_site();
    let instana = &options.instana;
    let constructor = options.kind.constructor();
    let name = match &options.name {
        Some(name) => quote!(#name),
        None => {
            let name = format!("::{}", function.signature.ident.unraw());
            quote_spanned!(site=> ::core::concat!(::core::module_path!(), #name))
        }
    };
    let tags = tags(options, function)?;
    let mutable =
        (!Output::of(&function.signature).is_async() || !tags.is_empty()).then(|| quote!(mut));
    let tags = (!tags.is_empty()).then(|| {
        quote_spanned! {site=>
            if __span.is_recording() {
                #(#tags)*
            }
        }
    });
    Ok(quote_spanned! {site=>
        let #mutable __span = #instana::#constructor(#name);
        #tags
    })
}

/// A statement for each tag.
fn tags(options: &Options, function: &Function) -> Result<Vec<TokenStream>> {
    let arguments = function.arguments();
    let statement = |tag: &Tag| match tag {
        Tag::Argument(argument) if !arguments.contains(argument) => {
            Err(Error::new(argument.span(), unknown(argument, &arguments)))
        }
        Tag::Argument(argument) => {
            let name = LitStr::new(&argument.unraw().to_string(), argument.span());
            Ok(set_tag(&name, argument.span(), &quote!(#argument)))
        }
        Tag::Named(name, value) => Ok(set_tag(name, value.span(), &quote!((#value)))),
    };
    options.tags.iter().map(statement).collect()
}

/// By reference: the body still needs the values.
fn set_tag(name: &LitStr, at: Span, value: &TokenStream) -> TokenStream {
    let at = at.resolved_at(Span::mixed_site());
    quote_spanned!(at=> __span.tag(#name, &#value);)
}

fn unknown(argument: &Ident, arguments: &[Ident]) -> String {
    let known: Vec<String> = arguments.iter().map(|name| format!("`{name}`")).collect();
    let known = match known.as_slice() {
        [] => "it has none".to_owned(),
        known => format!("it has {}", known.join(", ")),
    };
    format!("no argument of this function, {known}; for another value write `{argument} = value`")
}

/// Runs the body inside the span. It returns what comes out of it: a value at the end of
/// a block is a finding of `clippy::implicit_return`.
fn run(options: &Options, function: &Function) -> TokenStream {
    let site = Span::mixed_site();
    let instana = &options.instana;
    let returned = output::erased(&function.signature);
    let called = called(function, &returned);
    let traced = in_span(options);
    match Output::of(&function.signature) {
        Output::Async => {
            let future = future(options, function, &returned);
            quote_spanned!(site=> #future return #traced.await;)
        }
        // An uninhabited type that has a name.
        Output::AsyncNever => {
            let returned = syn::parse_quote!(::core::convert::Infallible);
            let future = future(options, function, &returned);
            quote_spanned!(site=> #future match #traced.await {})
        }
        Output::BoxedFuture => quote_spanned! {site=>
            let __future = #called;
            return ::std::boxed::Box::pin(#traced);
        },
        Output::Future => quote_spanned! {site=>
            let __future = #called;
            return #traced;
        },
        Output::Value if options.errors => quote_spanned! {site=>
            let __output = #called;
            #instana::__macro::Outcome::new(&__output).record(&mut __span);
            return __output;
        },
        Output::Unit | Output::Value => quote_spanned!(site=> return #called;),
        Output::Never => called,
    }
}

/// The body in a closure that is called.
fn called(function: &Function, returned: &Type) -> TokenStream {
    let body = body(function);
    quote_spanned!(Span::mixed_site()=> __span.enter(move || -> #returned #body))
}

/// The body in its own braces: the compiler points to them.
fn body(function: &Function) -> TokenStream {
    let mut block = TokenStream::new();
    function.brace.surround(&mut block, |tokens| {
        tokens.extend(function.body.clone());
    });
    block
}

/// The variable `__future`. What is never run in it tells the compiler what it
/// returns. The body is an arm because rustc takes braces at the end of a block for
/// ones that are not needed.
fn future(options: &Options, function: &Function, returned: &Type) -> TokenStream {
    let site = Span::mixed_site();
    let instana = &options.instana;
    let body = body(function);
    // That it returns a future is said in the signature.
    let allowed = output::returns_future(&function.signature)
        .then(|| quote_spanned!(site=> #[allow(clippy::async_yields_async)]));
    quote_spanned! {site=>
        #allowed
        let __future = async move {
            if false {
                return #instana::__macro::never::<#returned>();
            }
            match () {
                () => #body
            }
        };
    }
}

/// The variable `__future` inside the variable `__span`.
fn in_span(options: &Options) -> TokenStream {
    let site = Span::mixed_site();
    let instana = &options.instana;
    if !options.errors {
        return quote_spanned!(site=> #instana::FutureExt::in_span(__future, __span));
    }
    quote_spanned! {site=>
        #instana::FutureExt::in_span_with(__future, __span, |__span, __output| {
            #instana::__macro::Outcome::new(__output).record(__span);
        })
    }
}
