use std::rc::Rc;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;

use crate::web::app;
use crate::web::connections::Connection;

/// Counts the request as work on its connection. While the process drains, each answer is the last one there: a
/// client that keeps connections comes back on a new one, which a load balancer leads elsewhere.
pub async fn hold_connection<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let _in_work = request.conn_data::<Rc<Connection>>().map(Connection::begin);
    let mut response = next.call(request).await?;
    if app(response.request()).is_draining() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}
