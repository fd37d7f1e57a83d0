"""Small classifiers with PEFT adapters, and what transformers and peft calculate with them; see ../README.md."""
import json, os, shutil
import peft, torch, transformers as T
from safetensors.torch import save_file

here = os.path.dirname(os.path.abspath(__file__))


def numbers(module, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in module.named_parameters():
            draws = torch.randn(value.shape, generator=generator)
            if "norm" in name and name.endswith("weight"):
                value.copy_(1 + 0.2 * draws)
            elif value.ndim >= 2:
                value.copy_(draws * 1.2 / value[0].numel() ** 0.5)
            else:
                value.copy_(0.3 * draws)
    return module.eval()


def adapter(name, base, images, answer, **config):
    folder = f"{here}/{name}-adapter"
    shutil.rmtree(folder, ignore_errors=True)
    tuned = numbers(peft.get_peft_model(base, peft.LoraConfig(**config)), 5)
    tuned.save_pretrained(folder)
    os.path.exists(f"{folder}/README.md") and os.remove(f"{folder}/README.md")
    config = json.load(open(f"{folder}/adapter_config.json"))
    config["base_model_name_or_path"] = name
    json.dump(config, open(f"{folder}/adapter_config.json", "w"), indent=1, sort_keys=True)
    # As it is loaded: the base's own weights have been drawn again too.
    loaded = peft.PeftModel.from_pretrained(answer["fresh"](), folder).eval()
    with torch.no_grad():
        return {"images": images.half(), "base": answer["ask"](answer["fresh"]()), "tuned": answer["ask"](loaded)}


def classifier(name, base, size, **config):
    base.save_pretrained(f"{here}/{name}")
    images = torch.randn((1, 3, size, size), generator=torch.Generator().manual_seed(3)).half().float()
    kind = type(base)
    answer = {
        "fresh": lambda: kind.from_pretrained(f"{here}/{name}").eval(),
        "ask": lambda model: model(pixel_values=images).logits.contiguous(),
    }
    expected = adapter(name, answer["fresh"](), images, answer, **config)
    save_file(expected, f"{here}/{name}-adapter/expected.safetensors")


names = {0: "tench, Tinca tinca", 1: "goldfish", 2: 'a "quoted" shark'}
classifier(
    "vit",
    numbers(T.ViTForImageClassification(T.ViTConfig(
        hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12, image_size=8, patch_size=4,
        id2label=names)), 1),
    8, r=2, lora_alpha=3, target_modules=["q_proj", "v_proj", "fc1"], modules_to_save=["classifier"],
    rank_pattern={"layers.1.mlp.fc1": 3}, alpha_pattern={"fc1": 5}, use_rslora=True, lora_dropout=0.1)
classifier(
    "convnext",
    numbers(T.ConvNextForImageClassification(T.ConvNextConfig(
        hidden_sizes=[4, 4, 6, 6], depths=[1, 1, 1, 1], image_size=32, id2label=names)), 2),
    32, r=2, lora_alpha=4, target_modules=["pwconv1", "downsampling_layer.1"])
clip = T.CLIPModel.from_pretrained(f"{here}/../tiny-clip")
images = torch.randn((1, 3, 32, 32), generator=torch.Generator().manual_seed(3)).half().float()


def features(model):
    found = model.get_image_features(pixel_values=images)
    return (found if torch.is_tensor(found) else found.pooler_output).contiguous()


expected = adapter(
    "clip", clip, images,
    {"fresh": lambda: T.CLIPModel.from_pretrained(f"{here}/../tiny-clip").eval(), "ask": features},
    r=2, lora_alpha=2, target_modules=["vision_model.encoder.layers.1.self_attn.q_proj", "visual_projection"])
save_file(expected, f"{here}/clip-adapter/expected.safetensors")
