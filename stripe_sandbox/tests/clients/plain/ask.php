<?php
// PHP's cURL asks the sandbox, with forms as Stripe's SDK for PHP writes them.
function flat($value, $name = '') {
    if (!is_array($value)) {
        return [urlencode($name) . '=' . urlencode(is_bool($value) ? ($value ? 'true' : 'false') : $value)];
    }
    $found = [];
    foreach ($value as $key => $inner) {
        $found = array_merge($found, flat($inner, $name === '' ? $key : "{$name}[{$key}]"));
    }
    return $found;
}

function ask($method, $path, $params = [], $key = null) {
    global $argv;
    static $curl = null;
    $curl = $curl ?: curl_init();
    $form = str_replace(['%5B', '%5D'], ['[', ']'], implode('&', flat($params)));
    $headers = ['Authorization: Bearer sk_test_php', 'Content-Type: application/x-www-form-urlencoded', 'Expect: '];
    if ($key) {
        $headers[] = "Idempotency-Key: {$key}";
    }
    $url = "{$argv[1]}/v1/{$path}";
    $get = [CURLOPT_HTTPGET => true, CURLOPT_URL => "{$url}?{$form}"];
    $post = [CURLOPT_POST => true, CURLOPT_URL => $url, CURLOPT_POSTFIELDS => $form];
    curl_setopt_array($curl, ($method === 'GET' ? $get : $post) + [
        CURLOPT_RETURNTRANSFER => true, CURLOPT_HTTPHEADER => $headers,
    ]);
    return json_decode(curl_exec($curl), true);
}

$steps = json_decode(stream_get_contents(STDIN), true);
$ada = ask('POST', 'customers', $steps['customer'], 'php');
$again = ask('POST', 'customers', $steps['customer'], 'php');
$price = ask('POST', 'prices', $steps['price']);
$items = [['price' => $price['id'], 'quantity' => 2]];
$sub = ask('POST', 'subscriptions', ['customer' => $ada['id'], 'items' => $items, 'expand' => ['latest_invoice']]);
for ($n = 0; $n < 4; ++$n) {
    ask('POST', 'customers', ['description' => '']);
}
$ids = [];
do {
    $page = ask('GET', 'customers', $ids ? ['limit' => 2, 'starting_after' => end($ids)] : ['limit' => 2]);
    $ids = array_merge($ids, array_column($page['data'], 'id'));
} while ($page['has_more']);
$missing = ask('GET', 'subscriptions', ['customer' => 'cus_none']);
echo json_encode([
    'name' => $ada['name'], 'color' => $ada['metadata']['color'], 'again' => $again['id'] === $ada['id'],
    'paid' => $sub['latest_invoice']['amount_paid'], 'pages' => count(array_unique($ids)),
    'code' => $missing['error']['code'],
]);
