// Go's own HTTP client asks the sandbox, with forms as Stripe's SDK for Go writes them.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

type object = map[string]interface{}

func flat(form url.Values, name string, value interface{}) {
	switch given := value.(type) {
	case object:
		for key, inner := range given {
			if name == "" {
				flat(form, key, inner)
			} else {
				flat(form, name+"["+key+"]", inner)
			}
		}
	case []interface{}:
		for index, inner := range given {
			flat(form, fmt.Sprintf("%s[%d]", name, index), inner)
		}
	default:
		form.Add(name, fmt.Sprint(given))
	}
}

func ask(method, path string, params object, key string) object {
	form := url.Values{}
	flat(form, "", params)
	address, body := os.Args[1]+"/v1/"+path, io.Reader(nil)
	if method == "GET" {
		address += "?" + form.Encode()
	} else {
		body = strings.NewReader(form.Encode())
	}
	request, err := http.NewRequest(method, address, body)
	if err != nil {
		panic(err)
	}
	request.Header.Set("Authorization", "Bearer sk_test_go")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	answer := object{}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		panic(err)
	}
	return answer
}

func main() {
	steps := object{}
	if err := json.NewDecoder(os.Stdin).Decode(&steps); err != nil {
		panic(err)
	}
	ada := ask("POST", "customers", steps["customer"].(object), "go")
	again := ask("POST", "customers", steps["customer"].(object), "go")
	price := ask("POST", "prices", steps["price"].(object), "")
	items := []interface{}{object{"price": price["id"], "quantity": 2}}
	expand := []interface{}{"latest_invoice"}
	sub := ask("POST", "subscriptions", object{"customer": ada["id"], "items": items, "expand": expand}, "")
	for n := 0; n < 4; n++ {
		ask("POST", "customers", object{"description": ""}, "")
	}
	seen, last := map[string]bool{}, ""
	for more := true; more; {
		params := object{"limit": 2}
		if last != "" {
			params["starting_after"] = last
		}
		page := ask("GET", "customers", params, "")
		for _, row := range page["data"].([]interface{}) {
			last = row.(object)["id"].(string)
			seen[last] = true
		}
		more = page["has_more"].(bool)
	}
	missing := ask("GET", "subscriptions", object{"customer": "cus_none"}, "")
	told, _ := json.Marshal(object{
		"name": ada["name"], "color": ada["metadata"].(object)["color"], "again": again["id"] == ada["id"],
		"paid": sub["latest_invoice"].(object)["amount_paid"], "pages": len(seen),
		"code": missing["error"].(object)["code"],
	})
	fmt.Println(string(told))
}
