//! [`Question`]: what can be asked, a budget or a request, and what kind of answer it gets.

use super::{Budget, NothingEligible, Request};

/// What a model is chosen for: a [`Budget`], or a [`Request`] with whatever else it asks.
///
/// A budget is always answered, so its answer is the thing itself; a request may rule out every model, so its answer is
/// a `Result`. One verb serves both, and each caller meets the errors that it can meet: nobody has to unwrap what can't
/// fail, or to remember which of several methods knows about what it asks.
///
/// Implemented for [`Budget`] and [`Request`], which both are `Copy`, and for nothing else.
pub trait Question: Copy + sealed::Sealed {
    /// How a `T` is answered: `T`, or `Result<T, NothingEligible>`.
    type Answer<T>;

    /// Answers by `plain` where nothing but a budget is asked, otherwise by `any`.
    #[doc(hidden)]
    fn answer<T>(
        self,
        plain: impl FnOnce(Budget) -> T,
        any: impl FnOnce(&Request<'_>) -> Result<T, NothingEligible>,
    ) -> Self::Answer<T>;

    /// The question as a request.
    #[doc(hidden)]
    fn request<'a>(self) -> Request<'a>
    where
        Self: 'a;
}

impl Question for Budget {
    type Answer<T> = T;

    #[inline(always)]
    fn answer<T>(
        self,
        plain: impl FnOnce(Budget) -> T,
        _: impl FnOnce(&Request<'_>) -> Result<T, NothingEligible>,
    ) -> T {
        plain(self)
    }

    fn request<'a>(self) -> Request<'a> {
        Request::new(self)
    }
}

impl Question for Request<'_> {
    type Answer<T> = Result<T, NothingEligible>;

    #[inline(always)]
    fn answer<T>(
        self,
        plain: impl FnOnce(Budget) -> T,
        any: impl FnOnce(&Request<'_>) -> Result<T, NothingEligible>,
    ) -> Result<T, NothingEligible> {
        match self.as_budget() {
            Some(budget) => Ok(plain(budget)),
            None => any(&self),
        }
    }

    fn request<'a>(self) -> Request<'a>
    where
        Self: 'a,
    {
        self
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Budget {}
    impl Sealed for super::Request<'_> {}
}
