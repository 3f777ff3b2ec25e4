"""The session of one Python client at a gateway; prints what came of each step as JSON.

python session.py LIBRARY GATEWAY MODEL EMBEDDING_MODEL
"""

import json
import sys

library, gateway, model, embedder = sys.argv[1:]
PROMPT = "Tell me about peers"
MESSAGES = [{"role": "user", "content": PROMPT}]
TRIP = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "enum": ["Paris", "Rome"]},
        "days": {"type": "integer", "enum": [1, 2]},
    },
    "required": ["city", "days"],
    "additionalProperties": False,
}
FUNCTION = {"name": "plan_trip", "description": "Plans a trip.", "parameters": TRIP}
TOOLS = [{"type": "function", "function": FUNCTION}]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "trip", "strict": True, "schema": TRIP}}


def openai_steps():
    from openai import OpenAI

    client = OpenAI(base_url=f"{gateway}/v1", api_key="any", max_retries=0)

    def chat(model=model, **more):
        return client.chat.completions.create(model=model, messages=MESSAGES, **more)

    def tool():
        call = chat(tools=TOOLS, tool_choice="required").choices[0].message.tool_calls[0].function
        return [call.name, json.loads(call.arguments)]

    return {
        "list": lambda: [entry.id for entry in client.models.list()],
        "chat": lambda: chat(max_completion_tokens=8).choices[0].message.content,
        "stream": lambda: [part.choices[0].delta.content for part in chat(max_completion_tokens=3, stream=True)],
        "tool": tool,
        "schema": lambda: json.loads(chat(response_format=SCHEMA).choices[0].message.content),
        "embed": lambda: client.embeddings.create(model=embedder, input=PROMPT).data[0].embedding,
        "unknown": lambda: chat(model="nobody-has-it"),
    }


def anthropic_steps():
    from anthropic import Anthropic

    client = Anthropic(base_url=gateway, api_key="any", max_retries=0)

    def chat(model=model, max_tokens=8, **more):
        return client.messages.create(model=model, messages=MESSAGES, max_tokens=max_tokens, **more)

    def stream():
        with client.messages.stream(model=model, messages=MESSAGES, max_tokens=3) as events:
            return list(events.text_stream)

    def tool():
        tools = [{"name": FUNCTION["name"], "description": FUNCTION["description"], "input_schema": TRIP}]
        call = chat(max_tokens=512, tools=tools, tool_choice={"type": "any"}).content[0]
        return [call.name, call.input]

    return {
        "list": lambda: [entry.id for entry in client.models.list()],
        "chat": lambda: chat().content[0].text,
        "stream": stream,
        "tool": tool,
        "unknown": lambda: chat(model="nobody-has-it"),
    }


def ollama_steps():
    from ollama import Client

    client = Client(host=gateway)

    def chat(model=model, **more):
        return client.chat(model=model, messages=MESSAGES, **more)

    def tool():
        call = chat(tools=TOOLS).message.tool_calls[0].function
        return [call.name, dict(call.arguments)]

    return {
        "list": lambda: [entry.model for entry in client.list().models],
        "show": lambda: client.show(model).capabilities,
        "ps": lambda: [entry.model for entry in client.ps().models],
        "chat": lambda: chat(options={"num_predict": 8}).message.content,
        "stream": lambda: [part.message.content for part in chat(stream=True, options={"num_predict": 3})],
        "tool": tool,
        "schema": lambda: json.loads(chat(format=TRIP).message.content),
        "embed": lambda: list(client.embed(model=embedder, input=PROMPT).embeddings[0]),
        "unknown": lambda: chat(model="nobody-has-it"),
    }


def litellm_steps():
    import litellm

    litellm.suppress_debug_info = True

    def chat(model=model, **more):
        return litellm.completion(
            model=f"openai/{model}", messages=MESSAGES, api_base=f"{gateway}/v1", api_key="any", **more
        )

    def tool():
        call = chat(tools=TOOLS, tool_choice="required").choices[0].message.tool_calls[0].function
        return [call.name, json.loads(call.arguments)]

    return {
        "chat": lambda: chat(max_tokens=8).choices[0].message.content,
        "stream": lambda: [part.choices[0].delta.content for part in chat(max_tokens=3, stream=True)],
        "tool": tool,
        "schema": lambda: json.loads(chat(response_format=SCHEMA).choices[0].message.content),
        "embed": lambda: litellm.embedding(
            model=f"openai/{embedder}", input=[PROMPT], api_base=f"{gateway}/v1", api_key="any"
        ).data[0]["embedding"],
        "unknown": lambda: chat(model="nobody-has-it"),
    }


STEPS = {
    "openai": openai_steps,
    "anthropic": anthropic_steps,
    "ollama": ollama_steps,
    "litellm": litellm_steps,
}


def outcome(step):
    try:
        return {"value": step()}
    except Exception as error:
        return {"error": str(error), "status": getattr(error, "status_code", None)}


print(json.dumps({name: outcome(step) for name, step in STEPS[library]().items()}))
