//! How the methods of a service are made from its generated client: a line each, which
//! also says what a second sending does.

/// Bytes of the largest answer that is taken: an auditor's block may be that large.
pub(crate) const ANSWER_BYTES: usize = 32 << 20;

/// Makes a method of each line, with tokens, deadline and retries.
///
/// - `read`: a second sending does nothing more than the first.
/// - `command`: the same, since the message carries a request_id; answers the pending
///   operation.
/// - `change`: a second sending would do something again.
macro_rules! methods {
    ($service:ident: $client:path => $($kind:ident $name:ident($request:ident) -> $answer:ident;)*) => {
        impl $service {
            $( $crate::service::method!($client, $kind, $name, $request, $answer); )*
        }
    };
}

macro_rules! method {
    ($client:path, command, $name:ident, $request:ident, $answer:ident) => {
        #[doc = concat!("Sends the command `", stringify!($name), "` as [`", stringify!($request), "`] tells; sent again with the same `request_id` it answers the same operation.")]
        ///
        /// # Errors
        /// As the interface says of the method.
        pub async fn $name(
            &self,
            request: impl Into<$request>,
        ) -> Result<$crate::PendingOperation, $crate::Error> {
            use $client as Client;
            let send = |channel, request| async move { Client::new(channel).$name(request).await };
            let repeat = $crate::retry::Repeat::Harmless;
            let bounds = $crate::call::Bounds::Answer;
            let answer: $answer = self.0.call(bounds, repeat, request.into(), send).await?;
            $crate::PendingOperation::of(answer.operation, &self.0)
        }
    };
    ($client:path, read, $name:ident, $request:ident, $answer:ident) => {
        $crate::service::method!(@plain $client, Harmless, $name, $request, $answer);
    };
    ($client:path, change, $name:ident, $request:ident, $answer:ident) => {
        $crate::service::method!(@plain $client, Counts, $name, $request, $answer);
    };
    (@plain $client:path, $repeat:ident, $name:ident, $request:ident, $answer:ident) => {
        #[doc = concat!("Calls `", stringify!($name), "` as [`", stringify!($request), "`] tells.")]
        ///
        /// # Errors
        /// As the interface says of the method.
        pub async fn $name(
            &self,
            request: impl Into<$request>,
        ) -> Result<$answer, $crate::Error> {
            use $client as Client;
            let send = |channel, request| async move {
                Client::new(channel)
                    .max_decoding_message_size($crate::service::ANSWER_BYTES)
                    .$name(request)
                    .await
            };
            let bounds = $crate::call::Bounds::Answer;
            self.0.call(bounds, $crate::retry::Repeat::$repeat, request.into(), send).await
        }
    };
}
pub(crate) use {method, methods};
