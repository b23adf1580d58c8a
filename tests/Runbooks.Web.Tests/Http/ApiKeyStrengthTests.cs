using System.Security.Cryptography;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Runbooks.Intake.Parsing;
using Runbooks.Web.Http;

namespace Runbooks.Web.Tests.Http;

public sealed class ApiKeyStrengthTests
{
    [Theory]
    [InlineData("", "fewer than 24 characters")]
    [InlineData("8f2c1d9b7e4a6035f1c2d3e", "fewer than 24 characters")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "repeats")]
    [InlineData("ababababcdcdcdcdababababcdcdcdcd", "repeats")]
    [InlineData("changemechangemechangemechangeme", "repeats")]
    [InlineData("1234567890123456789012345678901234567890", "repeats")]
    [InlineData("abcdefghijklmnopqrstuvwxyz", "follow one another")]
    [InlineData("ZYXWVUTSRQPONMLKJIHGFEDCBA", "follow one another")]
    [InlineData("my-Password-is-8f2c1d9b7e4a6035", "'password'")]
    [InlineData("development-only-not-a-key", "'development'")]
    public void KeyThatCanBeGuessed_IsRefusedWithTheRemedyAndNotShown(string key, string why)
    {
        var refusal = Check("Production", Strong(), key).FailureMessage!;

        refusal.ShouldContain(why);
        refusal.ShouldEndWith("Make one with: openssl rand -hex 32");
        if (key.Length > 0)
        {
            refusal.ShouldNotContain(key);
        }
    }

    /// <summary>A file's last line end is part of a secret that is read from it. On the Functions app the key without it would be one that no setting names, and may everything.</summary>
    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData(" ")]
    public void KeyWithALineEnd_IsRefused(string end) =>
        Check("Production", Strong() + end).FailureMessage.ShouldNotBeNull().ShouldContain("begins or ends with a blank or a line end");

    [Fact]
    public void RandomKey_IsTaken()
    {
        foreach (var hash in Enumerable.Range(0, 200).Select(number => SHA256.HashData(BitConverter.GetBytes(number))))
        {
            Check("Production", Convert.ToHexStringLower(hash), Convert.ToHexString(hash)[..24], Convert.ToBase64String(hash)).Succeeded.ShouldBeTrue(Convert.ToHexString(hash));
        }
    }

    [Fact]
    public void KeyOfASample_IsTakenInDevelopmentOnly() => Check("Development", "development-only-not-a-key").Succeeded.ShouldBeTrue();

    private static string Strong() => Convert.ToHexStringLower(SHA256.HashData("a random key"u8));

    private static ValidateOptionsResult Check(string environment, params string[] keys)
    {
        var options = new ApiKeyOptions();
        foreach (var key in keys)
        {
            options.Keys.Add(key);
        }

        return new ApiKeyStrength(new Place(environment), new AlertReader([])).Validate(null, options);
    }

    private sealed class Place(string environment) : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = environment;
        public string ApplicationName { get; set; } = "";
        public string ContentRootPath { get; set; } = "";
        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
