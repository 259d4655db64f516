//! What a function returns, as far as its tokens tell.

use syn::visit_mut::{self, VisitMut};
use syn::{
    GenericArgument, PathArguments, PathSegment, ReturnType, Signature, Type, TypeParamBound,
};

/// How a function says that it is done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// An `async fn`.
    Async,
    /// An `async fn` that does not say so.
    AsyncNever,
    /// A future behind a pointer, in another function.
    BoxedFuture,
    /// `impl Future`, in another function.
    Future,
    /// It does not.
    Never,
    /// Nothing.
    Unit,
    /// A value, which may be a `Result`.
    Value,
}

impl Output {
    pub(crate) fn of(signature: &Signature) -> Self {
        let is_async = signature.asyncness.is_some();
        let ReturnType::Type(_, output) = &signature.output else {
            return if is_async { Self::Async } else { Self::Unit };
        };
        match plain(output) {
            Type::Never(_) if is_async => Self::AsyncNever,
            _ if is_async => Self::Async,
            Type::Never(_) => Self::Never,
            Type::Tuple(tuple) if tuple.elems.is_empty() => Self::Unit,
            output if is_impl_future(output) => Self::Future,
            output if is_boxed_future(output) => Self::BoxedFuture,
            _ => Self::Value,
        }
    }

    pub(crate) fn is_async(self) -> bool {
        matches!(self, Self::Async | Self::AsyncNever)
    }
}

/// Whether the function's value is a future.
pub(crate) fn returns_future(signature: &Signature) -> bool {
    match &signature.output {
        ReturnType::Default => false,
        ReturnType::Type(_, output) => {
            let output = plain(output);
            is_boxed_future(output) || is_impl_future(output)
        }
    }
}

/// The type of the function's value where a closure or a call names it: `_` in
/// place of each `impl Trait`, which stands in signatures only.
pub(crate) fn erased(signature: &Signature) -> Type {
    let mut output = match &signature.output {
        ReturnType::Default => syn::parse_quote!(()),
        ReturnType::Type(_, output) => (**output).clone(),
    };
    Erase.visit_type_mut(&mut output);
    output
}

struct Erase;

impl VisitMut for Erase {
    fn visit_type_mut(&mut self, output: &mut Type) {
        if let Type::ImplTrait(_) = output {
            *output = syn::parse_quote!(_);
        } else {
            visit_mut::visit_type_mut(self, output);
        }
    }
}

/// The type without parentheses.
fn plain(output: &Type) -> &Type {
    match output {
        Type::Paren(inner) => plain(&inner.elem),
        Type::Group(inner) => plain(&inner.elem),
        _ => output,
    }
}

fn is_impl_future(output: &Type) -> bool {
    matches!(output, Type::ImplTrait(output) if output.bounds.iter().any(is_future))
}

fn is_future(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else {
        return false;
    };
    bound
        .path
        .segments
        .last()
        .is_some_and(|last| last.ident == "Future")
}

fn is_boxed_future(output: &Type) -> bool {
    let Some(pin) = last_segment(output) else {
        return false;
    };
    if pin.ident == "BoxFuture" || pin.ident == "LocalBoxFuture" {
        return true;
    }
    let boxed = Some(pin)
        .filter(|pin| pin.ident == "Pin")
        .and_then(argument);
    let boxed = boxed.and_then(last_segment);
    let future = boxed
        .filter(|boxed| boxed.ident == "Box")
        .and_then(argument);
    matches!(future, Some(Type::TraitObject(object)) if object.bounds.iter().any(is_future))
}

fn last_segment(output: &Type) -> Option<&PathSegment> {
    match plain(output) {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// The first type in a segment's angle brackets.
fn argument(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(inner) => Some(plain(inner)),
        _ => None,
    })
}
