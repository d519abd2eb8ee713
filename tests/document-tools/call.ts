// Takes a token and asks for a card's state, with the generated client.
import { BusinessApi, CardState, Configuration, SuccessCode } from './client';

async function main(): Promise<void> {
    const [basePath, clientId, clientSecret, eid] = process.argv.slice(2);
    const open = new BusinessApi(new Configuration({ basePath }));
    const issued = await open.token({ clientId, clientSecret });
    const business = new BusinessApi(new Configuration({ basePath, accessToken: issued.token }));
    const status = await business.writeStatus({ eid });
    const state: CardState = status.cardStatus;
    if (status.code !== SuccessCode.OK || status.eid !== eid) {
        throw new Error(JSON.stringify(status));
    }
    console.log(state);
}

main().catch((problem) => {
    console.error(problem);
    process.exit(1);
});
