//! The runtime protocol over HTTP: `/init` and `/run` of one sandbox (docs/specs/openwhisk.md §16). Owns connections, time
//! limits and how much of an answer is read; what an answer means is `openwhisk`'s to say.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// How long between two attempts to reach a server that is still starting.
const RETRY: Duration = Duration::from_millis(50);

/// How long one tries until it is asked whether there is still something to wait for, and again.
const DOUBT: Duration = Duration::from_secs(1);

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// Its HTTP status.
    pub status: u16,
    /// Its body, or the beginning of it.
    pub body: String,
    /// The size of the whole body and the limit, if the body is only a part.
    pub truncated: Option<(u64, u64)>,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CallFault {
    /// Nobody took the request.
    Unreachable(String),
    /// It was taken, but the connection ended before a whole answer, or the answer had no length.
    Broken(String),
    /// The time was over.
    TimedOut,
}

/// The way to the server of one sandbox.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    /// Most of an answer that is read, in bytes.
    most: u64,
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

impl Client {
    /// A client of the server at `address`, of whose answers at most `most` bytes are read.
    pub fn new(address: SocketAddr, most: u64) -> Client {
        Client { address, most, idle: Mutex::default() }
    }

    /// Where it goes.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Posts once.
    ///
    /// # Errors
    /// There is no answer within `limit`.
    pub async fn post(&self, path: &str, message: &Value, limit: Duration) -> Result<Reply, CallFault> {
        let until = Instant::now() + limit;
        timeout_at(until, self.send(path, message)).await.unwrap_or(Err(CallFault::TimedOut))
    }

    /// Posts to a server that may still be starting: tries every 50 ms to reach it. With the answer comes how often nobody
    /// was there. `alive` is asked about once a second whether there is still something to wait for; it may take its time.
    ///
    /// # Errors
    /// There is no answer within `limit`, or nothing to wait for.
    pub async fn post_until_reached<F: Future<Output = bool> + Send>(
        &self,
        path: &str,
        message: &Value,
        limit: Duration,
        alive: impl Fn() -> F + Send,
    ) -> (Result<Reply, CallFault>, u32) {
        let until = Instant::now() + limit;
        let mut refused = 0;
        let mut gone = pin!(async move {
            tokio::time::sleep(DOUBT).await;
            while alive().await {
                tokio::time::sleep(DOUBT).await;
            }
        });
        loop {
            let reply = timeout_at(until, self.send(path, message)).await.unwrap_or(Err(CallFault::TimedOut));
            let Err(CallFault::Unreachable(why)) = reply else { return (reply, refused) };
            refused += 1;
            if Instant::now() + RETRY >= until {
                return (Err(CallFault::TimedOut), refused);
            }
            tokio::select! {
                () = &mut gone => return (Err(CallFault::Unreachable(why)), refused),
                () = tokio::time::sleep(RETRY) => {}
            }
        }
    }

    async fn send(&self, path: &str, message: &Value) -> Result<Reply, CallFault> {
        let body = Bytes::from(message.to_string());
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(mut connection) = kept.filter(|connection| !connection.is_closed()) {
            match exchange(&mut connection, self.request(path, body.clone())?).await {
                Ok(response) => return self.read(connection, response).await,
                // It was closed meanwhile and the request never sent: a new connection will tell.
                Err(error) if error.is_canceled() => {}
                Err(error) => return Err(CallFault::Broken(error.to_string())),
            }
        }
        let mut connection = self.connect().await?;
        let response = exchange(&mut connection, self.request(path, body)?).await;
        self.read(connection, response.map_err(|error| CallFault::Broken(error.to_string()))?).await
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, CallFault> {
        let unreachable = |error: &dyn std::error::Error| {
            CallFault::Unreachable(format!("cannot reach {}: {error}", self.address))
        };
        let stream = TcpStream::connect(self.address).await.map_err(|error| unreachable(&error))?;
        // Where nobody listens on a port of this machine, the kernel may take that very port to call from.
        if stream.local_addr().is_ok_and(|own| own == self.address) {
            return Err(CallFault::Unreachable(format!("nobody listens at {}", self.address)));
        }
        stream.set_nodelay(true).map_err(|error| unreachable(&error))?;
        let (connection, work) =
            handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(&error))?;
        // Ends when the connection does: that is when this client is dropped, at the latest.
        tokio::spawn(work);
        Ok(connection)
    }

    fn request(&self, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, CallFault> {
        Request::post(path)
            .header(HOST, self.address.to_string())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| CallFault::Broken(format!("cannot ask for {path}: {error}")))
    }

    async fn read(
        &self,
        connection: SendRequest<Full<Bytes>>,
        response: Response<Incoming>,
    ) -> Result<Reply, CallFault> {
        let status = response.status().as_u16();
        if !response.headers().contains_key(CONTENT_LENGTH) {
            return Err(CallFault::Broken("the answer has no Content-Length".to_owned()));
        }
        let mut body = response.into_body();
        let whole = body.size_hint().exact().unwrap_or_default();
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| CallFault::Broken(error.to_string()))?;
            bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
            if bytes.len() as u64 > self.most {
                // What is left of it is not wanted, so neither is the connection.
                bytes.truncate(self.most as usize);
                let body = String::from_utf8_lossy(&bytes).into_owned();
                return Ok(Reply { status, body, truncated: Some((whole, self.most)) });
            }
        }
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(Reply { status, body: String::from_utf8_lossy(&bytes).into_owned(), truncated: None })
    }
}

async fn exchange(
    connection: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> hyper::Result<Response<Incoming>> {
    connection.ready().await?;
    connection.send_request(request).await
}

#[cfg(test)]
mod tests;
