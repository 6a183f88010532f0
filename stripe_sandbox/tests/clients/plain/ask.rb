# Ruby's own HTTP client asks the sandbox, with forms as Stripe's SDK for Ruby writes them.
require "json"
require "net/http"

base = URI(ARGV[0])
HTTP = Net::HTTP.start(base.host, base.port)

def flat(value, name = nil)
  case value
  when Hash then value.flat_map { |key, inner| flat(inner, name ? "#{name}[#{key}]" : key.to_s) }
  when Array then value.each_with_index.flat_map { |inner, index| flat(inner, "#{name}[#{index}]") }
  else [[name, value.to_s]]
  end
end

def ask(method, path, params = {}, key = nil)
  form = URI.encode_www_form(flat(params))
  headers = { "Authorization" => "Bearer sk_test_ruby", "Content-Type" => "application/x-www-form-urlencoded" }
  headers["Idempotency-Key"] = key if key
  answer = method == "GET" ? HTTP.get("/v1/#{path}?#{form}", headers) : HTTP.post("/v1/#{path}", form, headers)
  JSON.parse(answer.body)
end

steps = JSON.parse($stdin.read)
ada = ask("POST", "customers", steps["customer"], "ruby")
again = ask("POST", "customers", steps["customer"], "ruby")
price = ask("POST", "prices", steps["price"])
items = [{ price: price["id"], quantity: 2 }]
sub = ask("POST", "subscriptions", { customer: ada["id"], items: items, expand: ["latest_invoice"] })
4.times { ask("POST", "customers", { description: "" }) }
ids = []
loop do
  page = ask("GET", "customers", ids.empty? ? { limit: 2 } : { limit: 2, starting_after: ids.last })
  ids += page["data"].map { |row| row["id"] }
  break unless page["has_more"]
end
missing = ask("GET", "subscriptions", { customer: "cus_none" })
puts JSON.generate(
  name: ada["name"], color: ada["metadata"]["color"], again: again["id"] == ada["id"],
  paid: sub["latest_invoice"]["amount_paid"], pages: ids.uniq.size, code: missing["error"]["code"]
)
