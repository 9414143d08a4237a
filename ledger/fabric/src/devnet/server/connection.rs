//! Connections that can be broken on purpose.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{Stream, StreamExt};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::{
    Extensions,
    transport::server::{Connected, TlsConnectInfo},
};

/// Breaks the connection that it belongs to.
#[derive(Clone)]
pub(super) struct Cut(CancellationToken);

impl Cut {
    /// The one of a request's connection.
    pub(super) fn of(extensions: &Extensions) -> Option<Self> {
        let tls = extensions.get::<TlsConnectInfo<Self>>();
        tls.map(|tls| tls.get_ref().clone())
    }

    /// Breaks the connection, whatever is under way on it.
    pub(super) fn cut(&self) {
        self.0.cancel();
    }
}

/// A connection with its [`Cut`].
pub(super) struct Connection {
    stream: TcpStream,
    cut: CancellationToken,
    is_cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// The connections that a listener takes, which `cut` breaks all.
pub(super) fn incoming(
    listener: TcpListener,
    cut: CancellationToken,
) -> impl Stream<Item = io::Result<Connection>> + Send + 'static {
    TcpListenerStream::new(listener).map(move |stream| {
        let stream = stream?;
        stream.set_nodelay(true)?;
        let cut = cut.child_token();
        let is_cut = Box::pin(cut.clone().cancelled_owned());
        Ok(Connection {
            stream,
            cut,
            is_cut,
        })
    })
}

impl Connection {
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.is_cut.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::ConnectionReset.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = Cut;

    fn connect_info(&self) -> Cut {
        Cut(self.cut.clone())
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
