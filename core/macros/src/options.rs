//! What stands in the parentheses of the attribute.

use proc_macro2::Span;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Ident, LitBool, LitStr, Path, Result, Token, parenthesized};

/// The options of an attribute.
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) kind: Kind,
    pub(crate) tags: Vec<Tag>,
    pub(crate) errors: bool,
    /// The path of the crate `instana`.
    pub(crate) instana: Path,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Entry,
    Exit,
    Intermediate,
}

pub(crate) enum Tag {
    /// An argument, under its own name.
    Argument(Ident),
    /// An expression under a name.
    Named(LitStr, Box<Expr>),
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self {
            name: None,
            kind: Kind::Intermediate,
            tags: Vec::new(),
            errors: true,
            instana: syn::parse_str("::instana")?,
        };
        let mut seen: Vec<Ident> = Vec::new();
        while !input.is_empty() {
            if input.peek(LitStr) {
                let text: LitStr = input.parse()?;
                let message = format!("a name is given by `name = {}`", text.to_token_stream());
                return Err(Error::new(text.span(), message));
            }
            let option = input.call(Ident::parse_any)?;
            if seen.contains(&option) {
                return Err(Error::new(
                    option.span(),
                    format!("`{option}` is here twice"),
                ));
            }
            options.set(&option, input)?;
            seen.push(option);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

impl Options {
    fn set(&mut self, option: &Ident, input: ParseStream<'_>) -> Result<()> {
        match option.to_string().as_str() {
            "name" => self.name = Some(value(input, "a string")?),
            "kind" => self.kind = value(input, "`entry`, `exit` or `intermediate`")?,
            "errors" => {
                let errors: LitBool = value(input, "`true` or `false`")?;
                self.errors = errors.value;
            }
            "crate" => {
                input.parse::<Token![=]>()?;
                self.instana = input.call(Path::parse_mod_style)?;
            }
            "tags" => {
                let content;
                parenthesized!(content in input);
                let tags = Punctuated::<Tag, Token![,]>::parse_terminated(&content)?;
                self.tags = tags.into_iter().collect();
            }
            _ => {
                let message = format!(
                    "no option `{option}`: there are `name = \"…\"`, `kind = …`, `tags(…)`, \
                     `errors = false` and `crate = …`"
                );
                return Err(Error::new(option.span(), message));
            }
        }
        Ok(())
    }
}

/// The value behind a `=`.
fn value<T: Parse>(input: ParseStream<'_>, expected: &str) -> Result<T> {
    input.parse::<Token![=]>()?;
    let at = input.span();
    input
        .parse()
        .map_err(|_| Error::new(at, format!("expected {expected}")))
}

impl Parse for Kind {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let kind: Ident = input.parse()?;
        match kind.to_string().as_str() {
            "entry" => Ok(Self::Entry),
            "exit" => Ok(Self::Exit),
            "intermediate" => Ok(Self::Intermediate),
            _ => Err(Error::new(kind.span(), "no kind of span")),
        }
    }
}

impl Kind {
    /// The function of the tracer that starts such a span.
    pub(crate) fn constructor(self) -> Ident {
        let name = match self {
            Self::Entry => "entry_span",
            Self::Exit => "exit_span",
            Self::Intermediate => "span",
        };
        Ident::new(name, Span::mixed_site())
    }
}

impl Parse for Tag {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = if input.peek(LitStr) {
            input.parse()?
        } else {
            let name = input.call(Ident::parse_any)?;
            if !input.peek(Token![=]) {
                return Self::argument(name, input);
            }
            LitStr::new(&name.unraw().to_string(), name.span())
        };
        input.parse::<Token![=]>()?;
        Ok(Self::Named(name, input.parse()?))
    }
}

impl Tag {
    fn argument(name: Ident, input: ParseStream<'_>) -> Result<Self> {
        let message = if name == "self" {
            "`self` needs a name and a value, as in `id = self.id`".to_owned()
        } else if input.is_empty() || input.peek(Token![,]) {
            return Ok(Self::Argument(name));
        } else {
            format!(
                "expected the name of an argument, or a name and a value, as in `{name} = value`"
            )
        };
        Err(Error::new(name.span(), message))
    }
}
