using System.Text.Json;
using System.Text.Json.Serialization;

namespace Runbooks.Web.Http;

/// <summary>JSON as the outside contract has it: camelCase names and words.</summary>
internal static class WebJson
{
    public static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };
}
