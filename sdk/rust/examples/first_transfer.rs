//! `first_transfer <url> <contact> <password> <receiver>`: pays 12.5 GX.

use gx_sdk::{GxClient, Qirat, Transfer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = std::env::args().skip(1).collect::<Vec<_>>();
    let [url, contact, password, receiver] = args.try_into().expect("four arguments");
    let gx = GxClient::connect(url).await?;
    let gx = gx.sign_in(contact, password).await?;
    let account = gx.identity().me().await?.account;

    let transfer = Transfer::new(account, receiver, Qirat::from_gx("12.5")?);
    let quote = gx.wallet().quote(&transfer).await?;
    let transfer = transfer.max_fee(quote.fee()).reference("lunch");
    let done = gx.wallet().transfer(transfer).await?.settled().await?;

    let fee = quote.fee().to_gx();
    println!("paid, fee {fee} GX, block {}", done.block());
    Ok(())
}
