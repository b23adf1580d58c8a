using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Runbooks.Web.Edge;

namespace Runbooks.Web.Assets;

/// <summary><c>GET /assets/{name}</c>: the style sheet and the small script, from the assembly.</summary>
public static class AssetsHandler
{
    private static readonly FrozenDictionary<string, Asset> s_assets = new Asset[]
    {
        Asset.Read("runbooks.css", "text/css; charset=utf-8"),
        Asset.Read("live.js", "text/javascript; charset=utf-8"),
    }.ToFrozenDictionary(asset => asset.Name);

    /// <summary>The address of an asset; it changes with the content, so that browsers may keep it for good.</summary>
    public static string Url(string name) => $"/assets/{name}?v={s_assets[name].Version}";

    public static IResult Get(HttpRequest request, string name)
    {
        if (!s_assets.TryGetValue(name, out var asset))
        {
            return Answers.Problem(StatusCodes.Status404NotFound, "There is no such file.");
        }

        var headers = request.HttpContext.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.CacheControl = request.Query["v"] == asset.Version ? "public, max-age=31536000, immutable" : "no-cache";
        return Results.Bytes(asset.Content, asset.Type, entityTag: new EntityTagHeaderValue($"\"{asset.Version}\""));
    }

    private sealed record Asset(string Name, string Type, byte[] Content, string Version)
    {
        public static Asset Read(string name, string type)
        {
            using var stream = typeof(AssetsHandler).Assembly.GetManifestResourceStream(name)
                ?? throw new InvalidOperationException($"The assembly lacks '{name}'.");
            using var content = new MemoryStream();
            stream.CopyTo(content);
            return new(name, type, content.ToArray(), Convert.ToHexStringLower(SHA256.HashData(content.ToArray()).AsSpan(0, 6)));
        }
    }
}
