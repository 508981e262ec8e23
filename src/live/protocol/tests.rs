//! The client against servers that say whatever they are told to.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const LIMIT: Duration = Duration::from_secs(2);

/// A server that answers the requests of its connections, one connection after the other, with these bytes; an
/// empty answer closes the connection.
async fn scripted(connections: Vec<Vec<String>>) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        for answers in connections {
            let (mut stream, _) = listener.accept().await.expect("somebody comes");
            for answer in answers {
                read_request(&mut stream).await;
                if answer.is_empty() {
                    break;
                }
                stream.write_all(answer.as_bytes()).await.expect("somebody listens");
            }
        }
        // Nobody listens any more from here on.
    });
    Client::new(address, 100)
}

async fn read_request(stream: &mut tokio::net::TcpStream) -> String {
    let mut seen = Vec::new();
    loop {
        let mut block = [0; 4096];
        let read = stream.read(&mut block).await.unwrap_or(0);
        seen.extend_from_slice(&block[..read]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        if read == 0 {
            return text;
        }
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0) {
                return text;
            }
        }
    }
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_connection_serves_several_requests() {
    let client = scripted(vec![vec![answer("200 OK", "{\"n\":1}"), answer("502 Bad Gateway", "{}")]]).await;
    let first = client.post("/run", &json!({}), LIMIT).await.expect("an answer");
    assert_eq!(first, Reply { status: 200, body: "{\"n\":1}".to_owned(), truncated: None });
    assert_eq!(client.post("/run", &json!({}), LIMIT).await.expect("an answer").status, 502);
}

#[tokio::test]
async fn a_connection_closed_meanwhile_is_replaced() {
    let close = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}".to_owned();
    let client = scripted(vec![vec![close], vec![answer("200 OK", "[]")]]).await;
    client.post("/run", &json!({}), LIMIT).await.expect("an answer");
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(client.post("/run", &json!({}), LIMIT).await.expect("an answer").body, "[]");
}

#[tokio::test]
async fn an_answer_without_length_is_none() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n".to_owned();
    let client = scripted(vec![vec![chunked]]).await;
    let fault = client.post("/run", &json!({}), LIMIT).await;
    assert_eq!(fault, Err(CallFault::Broken("the answer has no Content-Length".to_owned())));
}

#[tokio::test]
async fn a_long_answer_is_cut() {
    let client = scripted(vec![vec![answer("200 OK", &"x".repeat(250))]]).await;
    let reply = client.post("/run", &json!({}), LIMIT).await.expect("an answer");
    assert_eq!((reply.body.len(), reply.truncated), (100, Some((250, 100))));
}

#[tokio::test]
async fn a_broken_connection_and_a_dead_server_are_told_apart() {
    let client = scripted(vec![vec![String::new()]]).await;
    let fault = client.post("/run", &json!({}), LIMIT).await.expect_err("it hangs up");
    assert!(matches!(fault, CallFault::Broken(_)), "{fault:?}");
    tokio::time::sleep(Duration::from_millis(20)).await;
    let fault = client.post("/run", &json!({}), LIMIT).await.expect_err("nobody is there");
    assert!(matches!(fault, CallFault::Unreachable(_)), "{fault:?}");
}

#[tokio::test]
async fn silence_is_ended_by_the_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let client = Client::new(listener.local_addr().expect("bound"), 100);
    let fault = client.post("/run", &json!({}), Duration::from_millis(30)).await;
    assert_eq!(fault, Err(CallFault::TimedOut));
}

#[tokio::test]
async fn a_server_that_starts_late_is_waited_for() {
    // A port that was free a moment ago.
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        listener.local_addr().expect("bound")
    };
    let client = Client::new(address, 100);
    let server = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(180)).await;
        let listener = TcpListener::bind(address).await.expect("still free");
        let (mut stream, _) = listener.accept().await.expect("somebody comes");
        let request = read_request(&mut stream).await;
        stream.write_all(answer("200 OK", "{}").as_bytes()).await.expect("somebody listens");
        request
    });
    let (reply, refused) =
        client.post_until_reached("/init", &json!({"value": 1}), LIMIT, || async { true }).await;
    assert_eq!(reply.expect("an answer").status, 200);
    assert!((3..=6).contains(&refused), "{refused}");
    let request = server.await.expect("no panic");
    assert!(
        request.starts_with("POST /init HTTP/1.1\r\n") && request.ends_with("{\"value\":1}"),
        "{request}"
    );
    // Dead ones are not waited for to the end.
    let begun = Instant::now();
    let (reply, _) =
        client.post_until_reached("/init", &json!({}), Duration::from_secs(60), || async { false }).await;
    assert!(matches!(reply, Err(CallFault::Unreachable(_))));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn doubts_hold_nothing_up() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        listener.local_addr().expect("bound")
    };
    let client = Client::new(address, 100);
    let limit = Duration::from_secs(10);
    let alive = || async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        true
    };
    let (reply, refused) = client.post_until_reached("/init", &json!({}), limit, alive).await;
    assert_eq!(reply, Err(CallFault::TimedOut));
    assert!(refused > 150, "{refused}: tried every 50 ms, whatever is asked meanwhile");
}
